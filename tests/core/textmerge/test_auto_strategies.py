import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.textmerge.auto_strategies import Resolution, read_conflict, resolve_text
from pex_tui.core.textmerge.diff3 import Chunk, split_lines

SUPERSET, ADJACENT, UNION = "superset", "adjacent", "union"
ALL = (SUPERSET, ADJACENT, UNION)
TEXT = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "}\n"]), max_size=7).map("".join)


def resolved(base: str | None, ours: str, theirs: str, *allowed: str) -> str | None:
    found = resolution(base, ours, theirs, *allowed)
    return None if found is None else found.text.decode()


def resolution(base: str | None, ours: str, theirs: str, *allowed: str) -> Resolution | None:
    raw = None if base is None else base.encode()
    parts = read_conflict(raw, ours.encode(), theirs.encode())
    return None if parts is None else resolve_text(parts, allowed)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        ("x\n", "y\n", "y\nz\n", "y\nz\n"),
        ("x\n", "y\nz\n", "y\n", "y\nz\n"),
        ("", "a\n", "a\nb\n", "a\nb\n"),
        ("a\nz\n", "a\nb\nd\nz\n", "a\nb\nc\nd\nz\n", "a\nb\nc\nd\nz\n"),
        ("x\ny\n", "x2\ny2\n", "x\ny2\n", "x2\ny2\n"),
        ("x\ny\nk\nz\n", "X\ny\nk\nZ\n1\n", "X\n2\nk\nZ\n", "X\n2\nk\nZ\n1\n"),
        (None, "a\nb\nc\n", "a\nc\n", "a\nb\nc\n"),
        ("x", "y", "y\nz", None),  # the line "y" differs from the line "y\n"
        ("x\n", "y\n", "z\n", None),
        ("x\n", "y\nz\n", "z\ny\nw\n", None),  # another order
        ("x\ny\n", "", "x\n", None),  # it may have been moved
        ("x\ny\n", "x2\ny2\n", "x\n", None),  # removed there, changed here
        ("x\n", "", "y\n", None),
        ("x\n", "}\n", "y\n}\n", None),  # a brace proves nothing
        ("x\nk\nq\n", "y\nk\nr\n", "y\nz\nk\ns\n", None),  # all hunks or none
        (None, "a\n1\n", "a\n2\n", None),
    ],
)
def test_a_side_that_holds_the_others_change_is_taken(
    base: str | None, ours: str, theirs: str, expected: str | None
) -> None:
    assert resolved(base, ours, theirs, SUPERSET) == expected


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        ("a\nb\n", "A\nb\n", "a\nB\n", "A\nB\n"),
        ("a\nb\nc\n", "A\nb\nC\n", "a\nB\nc\n", "A\nB\nC\n"),
        ("a\n", "A\n", "a\nn\n", "A\nn\n"),
        ("a\n", "A\n", "n\na\n", "n\nA\n"),
        ("a\nb\n", "b\n", "a\nB\n", "B\n"),
        ("a\nb\n", "A\nB\n", "a\nC\n", None),
        ("a\n", "A1\nA2\n", "a\nn\n", None),  # the position of n is a guess
        ("", "x\n", "y\n", None),
        ("a\nb\n", "A\nb\n", "a\nB", "A\nB"),
    ],
)
def test_edits_on_neighbouring_lines_are_both_taken(
    base: str, ours: str, theirs: str, expected: str | None
) -> None:
    assert resolved(base, ours, theirs, ADJACENT) == expected


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        ("# 1\n", "# 1\n- ours\n", "# 1\n- theirs\n", "# 1\n- theirs\n- ours\n"),
        ("h\n", "h\n\n## Fixed\n- o\n", "h\n\n## Fixed\n- t\n", "h\n\n## Fixed\n- t\n- o\n"),
        (None, "- ours\n", "- theirs\n", "- theirs\n- ours\n"),
        ("a\n", "b\n", "c\n", None),
        ("h\n", "h\no", "h\nt", None),  # one line would run into the other
    ],
)
def test_what_both_sides_add_at_one_place_is_taken_in_the_order_of_landing(
    base: str | None, ours: str, theirs: str, expected: str | None
) -> None:
    assert resolved(base, ours, theirs, UNION) == expected


def test_each_hunk_is_resolved_by_the_first_strategy_that_can() -> None:
    base, ours, theirs = "x\nk\na\nb\n", "y\nk\nA\nb\n", "y\nz\nk\na\nB\n"

    assert resolution(base, ours, theirs, *ALL) == Resolution(
        b"y\nz\nk\nA\nB\n", (SUPERSET, ADJACENT)
    )
    assert resolution(base, ours, theirs, SUPERSET) is None
    assert resolution(base, ours, theirs) is None


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (b"x\0\n", b"y\n", b"y\nz\n"),
        (b"x\n", b"y\r\n", b"y\r\nz\r\n"),
        (b"x\r\n", b"y\r\n", b"y\r\nz\n"),
        (b"x\n", b"y\n", b"y\n"),
        (b"x\n" * 3000, b"y\n" + b"x\n" * 2999 + b"z\n", b"x\n" * 2998 + b"w\n"),
        (b"x\n", b"y\n" * 3_000_000, b"y\n"),
    ],
    ids=("binary", "mixed", "other", "alike", "long", "large"),  # not the texts: one is 9 MB
)
def test_what_is_no_conflict_of_plain_text_is_left_alone(
    base: bytes, ours: bytes, theirs: bytes
) -> None:
    assert read_conflict(base, ours, theirs) is None


def test_windows_line_ends_are_kept() -> None:
    assert resolved("x\r\n", "y\r\n", "y\r\nz\r\n", SUPERSET) == "y\r\nz\r\n"


def test_bytes_that_are_no_text_of_any_encoding_are_kept() -> None:
    parts = read_conflict(b"a\xff\n", b"a\xfe\n", b"a\xfe\nb\xfd\n")
    assert parts is not None

    assert resolve_text(parts, ALL) == Resolution(b"a\xfe\nb\xfd\n", (SUPERSET,))


@given(TEXT, TEXT, TEXT, st.sets(st.sampled_from(ALL), min_size=1))
def test_nothing_is_invented_and_nothing_that_all_keep_is_lost(
    base: str, ours: str, theirs: str, allowed: set[str]
) -> None:
    parts = read_conflict(base.encode(), ours.encode(), theirs.encode())
    found = None if parts is None else resolve_text(parts, allowed)
    if parts is None or found is None:
        return
    lines = split_lines(found.text.decode())

    assert set(lines) <= {*split_lines(base), *split_lines(ours), *split_lines(theirs)}
    assert holds(lines, [line for part in parts if not part.is_conflict for line in part.merged[0]])
    assert holds(lines, [line for part in parts for line in kept(part)])


@given(TEXT, TEXT, TEXT)
def test_which_side_is_whose_does_not_matter_where_one_holds_the_other(
    base: str, ours: str, theirs: str
) -> None:
    assert resolved(base, ours, theirs, SUPERSET) == resolved(base, theirs, ours, SUPERSET)


@given(TEXT, TEXT, TEXT)
def test_neighbouring_edits_come_to_the_same_whichever_side_is_whose(
    base: str, ours: str, theirs: str
) -> None:
    assert resolved(base, ours, theirs, ADJACENT) == resolved(base, theirs, ours, ADJACENT)


def kept(part: Chunk) -> tuple[str, ...]:
    return part.base if part.base == part.ours == part.theirs else ()


def holds(lines: tuple[str, ...], some: list[str]) -> bool:
    rest = iter(lines)
    return all(line in rest for line in some)
