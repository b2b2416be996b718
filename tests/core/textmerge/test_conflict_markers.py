import pytest

from pex_tui.core.textmerge.conflict_markers import conflicting_lines, marked_sides

TWO = "a\n<<<<<<< tip\nx\n=======\ny\nz\n>>>>>>> work\nb\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWO, ("a\nx\nb\n", "a\ny\nz\nb\n")),
        (TWO.replace("=======", "||||||| base\nw\n======="), ("a\nx\nb\n", "a\ny\nz\nb\n")),
        (TWO.replace("\n", "\r\n"), ("a\r\nx\r\nb\r\n", "a\r\ny\r\nz\r\nb\r\n")),
        ("a\n", ("a\n", "a\n")),
        ("Title\n=======\n" + TWO, ("Title\n=======\na\nx\nb\n", "Title\n=======\na\ny\nz\nb\n")),
        # A heading, or the border between the sides.
        (TWO.replace("x\n", "Title\n=======\n"), None),
        (TWO.replace(">>>>>>> work\n", ""), None),
        (TWO.replace("=======\n", ""), None),
        (TWO.replace("x\n", "<<<<<<< tip\n"), None),
    ],
)
def test_a_text_with_markers_is_read_as_the_two_sides(
    text: str, expected: tuple[str, str] | None
) -> None:
    found = marked_sides(text, "tip", "work")

    assert (found and tuple("".join(side) for side in found)) == expected


def test_longer_markers_are_read_by_their_own_length() -> None:
    text = "<<<<<<<<< tip\nTitle\n=======\n=========\ny\n>>>>>>>>> work\n"

    assert marked_sides(text, "tip", "work") == (("Title\n", "=======\n"), ("y\n",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWO, (2, 2)),
        (TWO.replace("=======", "||||||| base\nw\n======="), (2, 2)),
        (TWO.replace("\n", "\r\n"), (2, 2)),
        (TWO + "c\n" + TWO.replace("x\n", "x\ny\n"), (2, 7)),
        (TWO.replace("x\n", ""), (2, 2)),  # the first side has nothing there
        ("a\n", None),
    ],
)
def test_the_lines_in_conflict_are_those_of_the_first_side(
    text: str, expected: tuple[int, int] | None
) -> None:
    assert conflicting_lines(text, "tip", "work") == expected
