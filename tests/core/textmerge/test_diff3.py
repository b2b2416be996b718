import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.textmerge.diff3 import Choice, Origin, chunks, open_chunks, result, split_lines
from pex_tui.core.textmerge.syntax_check import NOT_CHECKED, OK, syntax_of

TEXT = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=8).map(tuple)


def text_of(lines: tuple[tuple[str, Origin, int], ...]) -> str:
    return "".join(line for line, _, _ in lines)


def lines(text: str) -> tuple[str, ...]:
    return split_lines(text)


def test_changes_apart_merge_by_themselves() -> None:
    parts = chunks(lines("a\nb\nc\n"), lines("A\nb\nc\n"), lines("a\nb\nC\n"))

    assert open_chunks(parts, {}) == ()
    merged = result(parts, {})
    assert text_of(merged) == "A\nb\nC\n"
    assert [origin for _, origin, _ in merged] == [Origin.OURS, Origin.BASE, Origin.THEIRS]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice.OURS, "one\nours\nthree\n"),
        (Choice.THEIRS, "one\ntheirs\nthree\n"),
        (Choice.BOTH, "one\ntheirs\nours\nthree\n"),
    ],
)
def test_a_conflict_is_decided_by_choice(choice: Choice, expected: str) -> None:
    parts = chunks(
        lines("one\ntwo\nthree\n"), lines("one\nours\nthree\n"), lines("one\ntheirs\nthree\n")
    )
    (number,) = open_chunks(parts, {})

    assert text_of(result(parts, {number: choice})) == expected


def test_no_part_of_a_merge_is_empty() -> None:
    base, ours, theirs = (split_lines(text) for text in ("a\nb\n", "x\nb\n", "a\ny\n"))
    for texts in ((base, ours, theirs), (base, base, base), ((), (), ()), (base, (), ())):
        assert all(part.base or part.ours or part.theirs for part in chunks(*texts))


def test_edits_on_adjacent_lines_are_one_conflict() -> None:
    parts = chunks(lines("a\nb\n"), lines("A\nb\n"), lines("a\nB\n"))

    assert len(open_chunks(parts, {})) == 1


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    parts = chunks(lines("a\n"), lines("b\n"), lines("b\n"))

    assert text_of(result(parts, {})) == "b\n"


def test_two_new_files_conflict_where_they_differ() -> None:
    parts = chunks(None, lines("x\nours\ny\n"), lines("x\ntheirs\ny\n"))
    (number,) = open_chunks(parts, {})

    assert text_of(result(parts, {number: Choice.OURS})) == "x\nours\ny\n"


def test_a_deletion_against_a_change_is_a_conflict() -> None:
    parts = chunks(lines("a\nb\n"), lines("a\n"), lines("a\nB\n"))
    (number,) = open_chunks(parts, {})

    assert text_of(result(parts, {number: Choice.OURS})) == "a\n"
    assert text_of(result(parts, {number: Choice.THEIRS})) == "a\nB\n"


def test_a_missing_newline_at_the_end_is_kept() -> None:
    parts = chunks(lines("a\nb"), lines("a\nours"), lines("a\ntheirs"))
    (number,) = open_chunks(parts, {})

    assert text_of(result(parts, {number: Choice.OURS})) == "a\nours"
    assert text_of(result(parts, {number: Choice.BOTH})) == "a\ntheirs\nours"


@given(st.text(alphabet="ab\r\n", max_size=20))
def test_splitting_lines_loses_nothing(text: str) -> None:
    assert "".join(split_lines(text)) == text


@given(TEXT, TEXT, TEXT)
def test_taking_one_side_everywhere_gives_it_where_the_other_is_the_base(
    base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    assert text_of(result(chunks(base, ours, base), {})) == "".join(ours)
    assert text_of(result(chunks(base, base, theirs), {})) == "".join(theirs)


@given(TEXT, TEXT, TEXT)
def test_chunks_put_together_are_the_three_versions(
    base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    parts = chunks(base, ours, theirs)

    assert tuple(line for part in parts for line in part.base) == base
    assert tuple(line for part in parts for line in part.ours) == ours
    assert tuple(line for part in parts for line in part.theirs) == theirs


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", "x = 1\n", OK),
        ("a.py", "x =\n", "syntax error in line 1"),
        ("a.json", "{}", OK),
        ("a.toml", "x = ", "syntax error"),
        ("a.txt", "anything", NOT_CHECKED),
    ],
)
def test_syntax_is_checked_where_the_kind_is_known(path: str, text: str, expected: str) -> None:
    assert syntax_of(path, text).startswith(expected)
