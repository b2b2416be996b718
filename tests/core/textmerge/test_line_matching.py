import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.textmerge.line_matching import comparisons, ends_shared, matching_lines

TEXT = st.lists(st.sampled_from("abcdefgh"), max_size=12)


@given(TEXT, TEXT)
def test_lines_are_matched_with_their_like_in_order(base: list[str], other: list[str]) -> None:
    found = matching_lines(base, other)

    assert all(base[line] == other[twin] for line, twin in found.items())
    assert list(found) == sorted(found)
    assert list(found.values()) == sorted(set(found.values()))
    assert matching_lines(base, base) == {line: line for line in range(len(base))}


@pytest.mark.parametrize(
    ("base", "other", "expected"),
    [
        ("abc", "xabcy", {0: 1, 1: 2, 2: 3}),
        ("abc", "ac", {0: 0, 2: 1}),
        ("", "abc", {}),
        ("aab", "ab", {0: 0, 2: 1}),
        ("}f}g}", "}g}f}", {0: 0, 3: 1, 4: 4}),
    ],
)
def test_what_one_text_has_of_another_is_found(
    base: str, other: str, expected: dict[int, int]
) -> None:
    found = matching_lines(base, other)

    assert {line: found[line] for line in expected if line in found} == expected


def test_a_large_text_with_few_changes_costs_little() -> None:
    lines = [text for at in range(20_000) for text in (f"line {at}", "", "}")]
    other = [*lines]
    other[10], other[-10] = "one", "two"

    assert comparisons(lines, other) < 10
    assert len(matching_lines(lines, other)) == len(lines) - 2


def test_what_two_texts_share_at_their_ends_is_counted_once() -> None:
    assert ends_shared("aXb", "aYb") == (1, 1)
    assert ends_shared("aa", "aaa") == (2, 0)
    assert ends_shared("", "a") == (0, 0)
