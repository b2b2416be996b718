import pytest

from pex_tui.core.textmerge.leftover_markers import markers_left

CONFLICT = b"top\n<<<<<<< HEAD\nmine\n=======\ntheirs\n>>>>>>> other\nend\n"
DIFF3 = CONFLICT.replace(b"=======", b"||||||| base\nold\n=======")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (CONFLICT, (2, 4, 6)),
        (DIFF3, (2, 4, 6, 8)),
        (CONFLICT.replace(b"\n", b"\r\n"), (2, 4, 6)),
        (CONFLICT.replace(b" HEAD", b"").replace(b" other", b""), (2, 4, 6)),
        (CONFLICT.replace(b"<<<<<<< HEAD\n", b""), (3, 5)),
        (CONFLICT.replace(b"=======\n", b""), (2, 5)),
        (CONFLICT.replace(b">>>>>>> other\n", b""), (2, 4)),
        (b"Title\n=======\n\ntext\n", ()),
        (b"<<<<<<< only a beginning\n", ()),
        (b">>>>>>> x\n=======\n<<<<<<< in the wrong order\n", ()),
        (b"  <<<<<<< HEAD\n  =======\n  >>>>>>> indented\n", ()),
        (b"\0<<<<<<< HEAD\n=======\n>>>>>>> binary\n", ()),
        (CONFLICT.replace(b"<<<<<<<", b"<" * 9), (4, 6)),
    ],
)
def test_what_counts_as_a_conflict_in_any_text(text: bytes, lines: tuple[int, ...]) -> None:
    assert markers_left(text) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"<<<<<<< ours\nx\n", (1,)),
        (b"x\n=======\ny\n", (2,)),
        (b"x\n||||||| base\n", (2,)),
        (b"x\n>>>>>>> b\n", (2,)),
        (b"x << 7\n======== \n", ()),
    ],
)
def test_in_a_text_that_resolves_a_conflict_one_marker_is_enough(
    text: bytes, lines: tuple[int, ...]
) -> None:
    assert markers_left(text, resolves=True) == lines


def test_markers_that_a_version_has_may_stay_but_not_become_more() -> None:
    assert markers_left(CONFLICT, [b"", CONFLICT], resolves=True) == ()
    assert markers_left(CONFLICT * 2, [CONFLICT, CONFLICT]) == (9, 11, 13)


def test_a_file_of_another_size_has_markers_of_that_size_only() -> None:
    long = CONFLICT.replace(b"<" * 7, b"<" * 9).replace(b"=" * 7, b"=" * 9)
    long = long.replace(b">" * 7, b">" * 9)
    assert markers_left(CONFLICT, size=9) == ()
    assert markers_left(long, size=9) == (2, 4, 6)
