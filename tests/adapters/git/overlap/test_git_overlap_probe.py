"""Overlaps detected between live workspaces, compared with git's own merges."""

import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pex_tui.adapters.git.capture import capture as capturing
from pex_tui.adapters.git.capture import change_set as footprints
from pex_tui.adapters.git.overlap.git_overlap_probe import GitOverlapProbe
from pex_tui.adapters.git.overlap.overlap_filter import may_overlap
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.workspaces.provider import GitWorkspaces
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.overlap_probe import ChangeSet
from pex_tui.engine.ports import WorkspaceError
from tests.adapters.git.conftest import Bench, Project, key_of, writer

LINES = "".join(f"line {number}\n" for number in range(1, 41))
START: dict[str, str | bytes] = {
    "src/a.py": LINES,
    "src/b.py": LINES,
    "docs/x.md": LINES,
    "docs/y.md": LINES,
    "logo.png": b"\x89PNG\0\1\2",
}


@pytest.fixture
def workspaces(bench: Bench) -> GitWorkspaces:
    return bench.workspaces


@pytest.fixture
def overlap_probe(workspaces: GitWorkspaces) -> GitOverlapProbe:
    return GitOverlapProbe(workspaces)


async def at_work(
    workspaces: GitWorkspaces, project: Project, name: str
) -> tuple[AttemptKey, Path]:
    key = key_of(name)
    head = CommitId(project.git("rev-parse", "HEAD"))
    return key, (await workspaces.prepare(key, writer(), head)).path


async def seen(overlap_probe: GitOverlapProbe, key: AttemptKey) -> ChangeSet:
    found = await overlap_probe.change_set(key, None)
    assert found is not None
    return found


def edit(path: Path, changes: Mapping[int, str]) -> None:
    lines = path.read_text().splitlines(keepends=True)
    for number, text in sorted(changes.items(), reverse=True):
        lines[number - 1 : number] = [f"{text}\n"] if text else []
    path.write_text("".join(lines))


async def test_neighbouring_lines_overlap_and_an_unchanged_line_between_keeps_apart(
    overlap_probe: GitOverlapProbe, workspaces: GitWorkspaces, project: Project
) -> None:
    project.commit(START)
    one, here = await at_work(workspaces, project, "one")
    other, there = await at_work(workspaces, project, "other")
    edit(here / "src/a.py", {10: "ten", 11: "eleven"})
    edit(there / "src/a.py", {12: "twelve"})
    edit(there / "src/b.py", {1: "first"})

    left, right = await seen(overlap_probe, one), await seen(overlap_probe, other)
    assert await overlap_probe.overlap(left, right) == (ConflictPath("src/a.py", lines="12"),)
    assert await overlap_probe.overlap(right, left) == (ConflictPath("src/a.py", lines="12"),)

    edit(there / "src/a.py", {12: "line 12", 13: "thirteen"})
    assert await overlap_probe.overlap(left, await seen(overlap_probe, other)) == ()


async def test_the_agents_own_index_is_not_touched_and_the_same_state_is_the_same_footprint(
    overlap_probe: GitOverlapProbe, workspaces: GitWorkspaces, project: Project
) -> None:
    project.commit(START)
    key, path = await at_work(workspaces, project, "one")
    edit(path / "src/a.py", {1: "staged"})
    staged = Project(path)
    staged.git("add", "src/a.py")
    edit(path / "src/a.py", {2: "not staged"})
    (path / "new.txt").write_text("new\n")
    before = staged.git("status", "--porcelain"), staged.git("diff", "--cached")

    first = await seen(overlap_probe, key)
    assert first.files == ("new.txt", "src/a.py")
    assert first.ranges == {"src/a.py": ((1, 3),)}
    assert await overlap_probe.change_set(key, first) is first
    assert (staged.git("status", "--porcelain"), staged.git("diff", "--cached")) == before

    (path / "new.txt").unlink()
    second = await overlap_probe.change_set(key, first)
    assert second is not None
    assert second.files == ("src/a.py",)


async def test_who_started_from_more_is_compared_by_what_it_did_itself(
    overlap_probe: GitOverlapProbe, workspaces: GitWorkspaces, project: Project
) -> None:
    project.commit(START)
    one, here = await at_work(workspaces, project, "one")
    changed = "new\n" + LINES.replace("line 30\n", "landed\n")
    project.commit({"src/a.py": changed}, "landed meanwhile")
    other, there = await at_work(workspaces, project, "other")
    edit(there / "src/a.py", {21: "twenty"})
    edit(here / "src/a.py", {10: "ten"})
    right = await seen(overlap_probe, other)
    assert await overlap_probe.overlap(await seen(overlap_probe, one), right) == ()

    edit(here / "src/a.py", {20: "mine"})
    left = await seen(overlap_probe, one)
    in_the_later = ConflictPath("src/a.py", lines="21")
    assert await overlap_probe.overlap(left, right) == (in_the_later,)
    assert await overlap_probe.overlap(right, left) == (in_the_later,)


async def test_an_attempt_that_is_over_has_no_footprint(
    overlap_probe: GitOverlapProbe, workspaces: GitWorkspaces, project: Project
) -> None:
    project.commit(START)
    key, _ = await at_work(workspaces, project, "one")
    await workspaces.capture(key, writer())
    assert await overlap_probe.change_set(key, None) is None


async def test_what_another_attempt_does_in_the_same_workspace_is_no_footprint(
    overlap_probe: GitOverlapProbe,
    workspaces: GitWorkspaces,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project.commit(START)
    key, path = await at_work(workspaces, project, "one")
    take_change_set = footprints.take_change_set

    async def slow(*seen: Any) -> ChangeSet:
        await workspaces.capture(key, writer())
        assert (await at_work(workspaces, project, "two"))[1] == path
        edit(path / "src/a.py", {3: "of two"})
        return await take_change_set(*seen)

    monkeypatch.setattr(capturing, "take_change_set", slow)
    assert await overlap_probe.change_set(key, None) is None


MOVES = ("edit", "insert", "delete", "add", "remove", "rename", "folder", "binary", "file")


def disturb(folder: Path, draw: random.Random) -> None:
    """Make one change of the kind that agents make."""
    texts = [path for path in sorted(folder.rglob("*.*")) if path.suffix in {".py", ".md"}]
    move = draw.choice(MOVES if texts else ("add",))
    path = draw.choice(texts) if texts else folder
    if move in {"edit", "insert", "delete"} and path.is_file():
        lines = path.read_text().splitlines(keepends=True)
        at = draw.randrange(0, max(1, min(len(lines), 14)))
        new = {
            "edit": [f"{draw.random()}\n"],
            "insert": [f"{draw.random()}\n", *lines[at : at + 1]],
        }
        lines[at : at + 1] = new.get(move, [])
        path.write_text("".join(lines))
    elif move == "add":
        new_path = folder / draw.choice(("src", "docs")) / f"new{draw.randrange(3)}.py"
        if new_path.parent.is_dir():
            new_path.write_text(f"{draw.random()}\n")
    elif move == "remove":
        path.unlink()
    elif move == "rename":
        path.rename(path.with_name(f"{draw.choice('mn')}{path.name}"))
    elif move == "folder" and (folder / "docs").is_dir() and not (folder / "texts").exists():
        (folder / "docs").rename(folder / "texts")
    elif move == "binary":
        (folder / "logo.png").write_bytes(b"\x89PNG\0" + draw.randbytes(3))
    elif move == "file" and not (folder / "top").exists():
        if draw.random() < 0.5:
            (folder / "top").write_text("a file\n")
        else:
            (folder / "top").mkdir()
            (folder / "top/in.py").write_text("below\n")


def restore(folder: Path, original: Path) -> None:
    """Put a checkout's files back, without git."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != ".git":
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
    shutil.copytree(original, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)


async def test_nothing_that_git_finds_is_missed(
    overlap_probe: GitOverlapProbe, workspaces: GitWorkspaces, project: Project, tmp_path: Path
) -> None:
    project.commit(START)
    one, here = await at_work(workspaces, project, "one")
    other, there = await at_work(workspaces, project, "other")
    draw = random.Random(11)  # noqa: S311  # no secret
    git = Git(workspaces.repository.common_dir)
    original = tmp_path / "original"
    shutil.copytree(here, original, ignore=shutil.ignore_patterns(".git"))
    met = 0
    for _ in range(40):
        for folder in (here, there):
            restore(folder, original)
            for _ in range(draw.randint(1, 3)):
                disturb(folder, draw)
        left, right = await seen(overlap_probe, one), await seen(overlap_probe, other)
        answer = await git.run(
            "merge-tree", "--write-tree", "--name-only", left.commit, right.commit, ok=(0, 1)
        )
        assert may_overlap(left, right) or answer.status == 0, (left, right, answer.text)
        assert bool(await overlap_probe.overlap(left, right)) is (answer.status == 1)
        met += answer.status
    assert 5 < met < 35


async def test_what_the_user_s_gc_took_is_no_overlap_and_no_exception(
    workspaces: GitWorkspaces, project: Project, overlap_probe: GitOverlapProbe
) -> None:
    project.commit(START)
    found = []
    for name in ("a", "b"):
        key, folder = await at_work(workspaces, project, name)
        edit(folder / "src/a.py", {3: name})
        found.append(await seen(overlap_probe, key))
    project.git("prune", "--expire=now")
    with pytest.raises(WorkspaceError, match="can't tell whether two tasks overlap"):
        await overlap_probe.overlap(*found)
