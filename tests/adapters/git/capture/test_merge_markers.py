"""Conflict markers that an attempt leaves, and those that it did not make."""

import pytest

from tests.adapters.git.conftest import Bench, key_of, writer

CONFLICT = "top\n<<<<<<< HEAD\nmine\n=======\ntheirs\n>>>>>>> other\nend\n"
DIFF3 = CONFLICT.replace("=======", "||||||| base\nold\n=======")


async def left(bench: Bench, name: str, content: str | bytes) -> tuple[str, ...]:
    """Return the files with markers left by an attempt that writes this one."""
    path = await bench.prepare(key_of(), writer())
    place = path / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    return (await bench.capture(key_of())).markers


@pytest.mark.parametrize("content", [CONFLICT, DIFF3, CONFLICT.replace("\n", "\r\n")])
@pytest.mark.parametrize("name", ["src/one.py", "new/odd \nname.txt"])
async def test_a_whole_conflict_is_found(bench: Bench, name: str, content: str) -> None:
    assert await left(bench, name, content) == (name,)


@pytest.mark.parametrize(
    "content",
    [
        "Title\n=======\n\ntext\n",
        "<<<<<<< only a beginning\n",
        ">>>>>>> x\n=======\n<<<<<<< in the wrong order\n",
        "    <<<<<<< HEAD\n    =======\n    >>>>>>> indented\n",
        b"\0<<<<<<< HEAD\n=======\n>>>>>>> binary\n",
    ],
)
async def test_what_only_looks_like_it_is_not(bench: Bench, content: str | bytes) -> None:
    assert await left(bench, "src/one.py", content) == ()


async def test_markers_that_were_there_before_may_stay_or_go(bench: Bench) -> None:
    bench.project.commit({"docs/merging.md": f"{CONFLICT}\n{CONFLICT}"})
    assert await left(bench, "docs/merging.md", f"How to:\n{CONFLICT}") == ()


async def test_one_more_than_before_is_left_by_the_attempt(bench: Bench) -> None:
    bench.project.commit({"docs/merging.md": CONFLICT})
    assert await left(bench, "docs/merging.md", CONFLICT * 2) == ("docs/merging.md",)


@pytest.mark.parametrize(("signs", "found"), [(7, ()), (32, ("fixtures/conflict.txt",))])
async def test_files_of_another_marker_size_may_hold_them(
    bench: Bench, signs: int, found: tuple[str, ...]
) -> None:
    bench.project.commit({".gitattributes": "fixtures/** conflict-marker-size=32\n"})
    conflict = CONFLICT
    for sign in "<=>":
        conflict = conflict.replace(sign * 7, sign * signs)
    assert await left(bench, "fixtures/conflict.txt", conflict) == found


async def test_a_text_with_markers_that_only_moved_or_was_copied_is_no_conflict(
    bench: Bench,
) -> None:
    bench.project.commit({"docs/merging.md": CONFLICT, "docs/other.md": DIFF3})
    path = await bench.prepare(key_of(), writer())
    (path / "docs/merging.md").rename(path / "docs/moved.md")
    (path / "docs/copied.md").write_text(DIFF3)
    assert (await bench.capture(key_of())).markers == ()
