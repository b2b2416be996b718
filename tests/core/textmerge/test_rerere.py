from hypothesis import assume, given
from hypothesis import strategies as st

from pex_tui.core.textmerge.auto_strategies import read_conflict
from pex_tui.core.textmerge.diff3 import Chunk, split_lines
from pex_tui.core.textmerge.rerere import conflict_id, recall, remember

BASE, OURS, THEIRS = "1\n2\n3\nx\n4\n5\n6\n", "1\n2\n3\ny\n4\n5\n6\n", "1\n2\n3\nz\n4\n5\n6\n"
MINE = "1\n2\n3\ny and z\n4\n5\n6\n"
TEXT = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "e"]), max_size=7).map("".join)


def parts_of(base: str, ours: str, theirs: str) -> tuple[Chunk, ...]:
    found = read_conflict(base.encode(), ours.encode(), theirs.encode())
    assert found is not None
    return found


def again(parts: tuple[Chunk, ...], *, text: str = MINE) -> str | None:
    """Return the resolution of the conflict after the usual one was resolved so."""
    known = remember("a.txt", parts_of(BASE, OURS, THEIRS), text.encode(), "you", 1.0)
    found = recall(known, parts)
    return None if found is None else found.decode()


def changed(old: str, new: str) -> tuple[Chunk, ...]:
    """Return the usual conflict in a file that differs elsewhere."""
    return parts_of(*(text.replace(old, new) for text in (BASE, OURS, THEIRS)))


def test_the_same_conflict_is_resolved_as_before() -> None:
    assert again(parts_of(BASE, OURS, THEIRS)) == MINE


def test_it_does_not_matter_which_side_is_whose() -> None:
    turned = parts_of(BASE, THEIRS, OURS)

    assert conflict_id("a", turned) == conflict_id("a", parts_of(BASE, OURS, THEIRS))
    assert again(turned) == MINE


def test_a_conflict_is_known_again_when_the_file_changed_elsewhere() -> None:
    later = changed("1\n", "0\n1\n")

    assert conflict_id("a", later) == conflict_id("a", parts_of(BASE, OURS, THEIRS))
    assert again(later) == f"0\n{MINE}"


def test_a_conflict_that_nobody_resolved_before_is_not_resolved_by_halves() -> None:
    more = parts_of(f"{BASE}7\n8\nu\n", f"{OURS}7\n8\nv\n", f"{THEIRS}7\n8\nw\n")

    assert again(more) is None


def test_what_only_one_side_changes_elsewhere_is_kept() -> None:
    later = parts_of(BASE, OURS.replace("6", "six"), THEIRS.replace("1", "one"))

    assert again(later) == MINE.replace("6", "six").replace("1", "one")


def test_another_path_or_another_hunk_is_another_conflict() -> None:
    usual = conflict_id("a", parts_of(BASE, OURS, THEIRS))

    assert conflict_id("b", parts_of(BASE, OURS, THEIRS)) != usual
    assert conflict_id("a", changed("x", "w")) != usual
    assert conflict_id("a", parts_of(BASE, OURS.replace("y", "w"), THEIRS)) != usual


def test_what_a_person_changed_outside_of_the_conflict_must_still_be_there() -> None:
    text = MINE.replace("5", "five")

    assert again(changed("1\n", "one\n"), text=text) == text.replace("1", "one")
    assert again(changed("5\n", "cinque\n"), text=text) is None


def test_a_conflict_is_not_resolved_by_what_was_made_of_another() -> None:
    assert again(parts_of(BASE, OURS.replace("y", "w"), THEIRS)) is None


def test_a_conflict_at_the_end_of_a_file_without_a_last_line_end_is_known_again() -> None:
    parts = parts_of("a\nx", "a\ny", "a\nz")
    known = remember("a.txt", parts, b"a\ny\nz", "you", 1.0)

    assert recall(known, parts) == b"a\ny\nz"


@given(TEXT, TEXT, TEXT, TEXT)
def test_whatever_was_made_of_a_conflict_is_made_of_it_again(
    base: str, ours: str, theirs: str, text: str
) -> None:
    parts = read_conflict(base.encode(), ours.encode(), theirs.encode())
    assume(parts is not None)
    assert parts is not None
    known = remember("a.txt", parts, text.encode(), "you", 1.0)

    found = recall(known, parts)

    assert found == text.encode()
    assert split_lines(text) == known.after
