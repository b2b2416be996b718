import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.globs import matches, overlap

SEGMENT = st.text(alphabet="ab*?", min_size=1, max_size=4).filter(lambda text: text != "**")
PATTERN = st.lists(st.one_of(SEGMENT, st.just("**")), min_size=1, max_size=4).map("/".join)
PATH = st.lists(st.text(alphabet="ab", min_size=1, max_size=3), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("src/**", "src/a/b.py", True),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/a/b.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "x/y/a.py", True),
        ("docs", "docs/guide.md", True),
        ("docs/", "docs/guide.md", True),
        ("docs/", "docs", False),
        ("a?c.txt", "abc.txt", True),
        ("[ab].txt", "a.txt", True),
        ("[!ab].txt", "a.txt", False),
        ("a+b.txt", "aab.txt", False),
        ("src/**/test_*.py", "src/test_a.py", True),
    ],
)
def test_a_pattern_matches_paths_the_way_shells_do(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("src/**", "src/api/*.py", True),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "docs/*.py", False),
        ("a*", "*b", True),
        ("a*c", "b*c", False),
        ("**/x.py", "src/**", True),
        ("src", "src/a.py", True),
        ("src/", "src/a/b.py", True),
        ("src/a", "src/b", False),
        ("*.py", "*.md", False),
        ("**", "anything/at/all", True),
        ("[ab]x", "bx", True),
        ("[ab]x", "cx", False),
    ],
)
def test_two_patterns_overlap_when_some_path_is_in_both(
    first: str, second: str, expected: bool
) -> None:
    assert overlap(first, second) is expected
    assert overlap(second, first) is expected


@given(PATTERN, PATTERN, PATH.map("/".join))
def test_a_path_in_both_patterns_proves_an_overlap(first: str, second: str, path: str) -> None:
    if matches(first, path) and matches(second, path):
        assert overlap(first, second)


@given(PATTERN, st.text(max_size=12))
def test_any_text_is_a_path_that_can_be_asked_about(pattern: str, path: str) -> None:
    assert matches(pattern, path) in {True, False}


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_a_pattern(first: str, second: str) -> None:
    try:
        assert overlap(first, second) == overlap(second, first)
        assert matches(first, second) in {True, False}
    except re.error as error:  # pragma: no cover
        pytest.fail(f"{first!r} is no regular expression: {error}")
