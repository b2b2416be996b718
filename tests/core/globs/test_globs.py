import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.globs.globs import first_intersection, matches, names_a_file, overlap, shared_path

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
        ("a[!b]c", "a/c", False),
        ("[^ab].txt", "c.txt", True),
        ("[^ab].txt", "b.txt", False),
        ("[]x].txt", "].txt", True),
        ("[b-a].txt", "a.txt", False),
        ("src/*", "src/a.py", True),
        ("src/*", "src/a/b.py", False),
        ("*", ".env", True),
        ("src/*.{ts,tsx}", "src/a.tsx", True),
        ("{a,b/{c,d}}/x", "b/d/x", True),
        ("{{cookiecutter.name}}/x", "{{cookiecutter.name}}/x", True),
        ("vendor/socket.io", "vendor/socket.io/index.js", True),
        ("README.md", "readme.md", False),
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
        ("**/*.py", "README.md", False),
        ("**/*.py", "Makefile", False),
        ("**/*.py", ".gitignore", False),
        ("**/*.py", "src", True),
        ("**/*.py", "conf.d", True),
        ("**/*.ts", "package.json", False),
        ("**/*.md", "docs/conf.py", False),
        ("**/*.py", "v1.2", True),
        ("[a-m]*.py", "[n-z]*.py", False),
        ("[a-m]*.py", "[m-z]*.py", True),
        ("[!a]", "a", False),
        ("src/?.py", "src/ab.py", False),
        ("src/*", "src/a/b.py", False),
        ("src/**", "src", True),
        ("a.py/**", "a.py", True),
        ("vendor/socket.io", "vendor/socket.io/client/*.js", True),
        ("vendor/socket.io/", "**/*.js", True),
        ("*.{ts,tsx}", "*.{js,jsx}", False),
        ("*.{ts,tsx}", "*.ts*", True),
        (".?", "?.", False),
        ("README.md", "readme.md", False),
    ],
)
def test_two_patterns_overlap_when_some_path_is_in_both(
    first: str, second: str, expected: bool
) -> None:
    assert overlap(first, second) is expected
    assert overlap(second, first) is expected


NAMES = [
    name
    for size in (1, 2, 3)
    for name in map("".join, product("ab.", repeat=size))
    if name not in {".", ".."}
]
PATHS = [
    "/".join(names)
    for names in (*product(NAMES), *product(NAMES, repeat=2), *product(NAMES[:8], repeat=3))
]
SMALL = st.text(alphabet="ab.*?", min_size=1, max_size=3).filter(
    lambda text: text not in {"**", "..", "."}
)
CLASS = st.sampled_from(["[ab]", "[!a]", "[^b]*", "[a-b]?", "{a,b}", "{a,.b}*"])
ANY_PATTERN = st.tuples(
    st.lists(st.one_of(SMALL, CLASS, st.just("**")), min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "", "/"]),
).map("".join)


@given(ANY_PATTERN, ANY_PATTERN)
def test_patterns_overlap_exactly_where_a_path_is_in_both(first: str, second: str) -> None:
    """Against all short paths; a file's name is a folder's only where the other one says so."""
    proof = shared_path(first, second)
    if proof is not None:
        assert matches(first, proof)
        assert matches(second, proof)
    else:
        both = [path for path in PATHS if matches(first, path) and matches(second, path)]
        assert [path for path in both if not _is_below_a_file(path, first, second)] == []


def _is_below_a_file(path: str, *patterns: str) -> bool:
    return any(
        path.startswith(f"{pattern}/") and names_a_file(pattern.rpartition("/")[2])
        for pattern in patterns
    )


def test_an_overlap_comes_with_a_path_that_proves_it() -> None:
    assert first_intersection(("docs/**", "src/**/*.py"), ("src/api/**",)) == (
        "src/**/*.py",
        "src/api/**",
        "src/api/x.py",
    )


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
