"""Another engine takes over after a crash at any point."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pex_tui.adapters.git.capture import capture as capturing
from pex_tui.adapters.git.isolation.work_trees import WorkTrees
from pex_tui.adapters.git.workspaces.worktree_pool import WorktreePool
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.ports import Captured
from tests.adapters.git.conftest import Bench, Project, git_in, key_of, writer
from tests.waiting import patience


class Crash(BaseException):
    """A crash of the engine, which nothing may catch."""


def crash(*_: object) -> None:
    raise Crash


async def crash_later(*_: object, **__: object) -> None:
    raise Crash


async def test_the_next_engine_finds_the_workspace_as_it_is(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    (path / "half").write_text("done")
    bench.restart()
    assert bench.workspaces.path(key_of("a")) == path
    assert await bench.prepare(key_of("a"), writer()) == path
    assert await bench.prepare(key_of("b"), writer()) != path
    assert (await bench.capture(key_of("a"))).files == ("half",)


@pytest.mark.parametrize("step", ["reset", "hand_over_index"])
async def test_a_preparation_cut_short_is_done_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patch:
        if step == "reset":
            patch.setattr(WorkTrees, "reset", crash_later)
        else:
            patch.setattr(WorkTrees, "hand_over_index", crash)
        with pytest.raises(Crash):
            await bench.prepare(key_of("a"), writer())
    bench.restart()
    assert bench.workspaces.path(key_of("a")) is None
    path = await bench.prepare(key_of("a"), writer())
    assert git_in(path, "status", "--porcelain") == ""
    assert len(bench.worktrees()) == 2


async def test_a_workspace_that_is_half_way_to_another_commit_is_not_taken_for_ready(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await bench.prepare(key_of("a"), writer())
    with monkeypatch.context() as patch:
        patch.setattr(WorkTrees, "reset", crash_later)
        with pytest.raises(Crash):
            await bench.prepare(key_of("a"), writer(), "HEAD^")
    (path / "stray").write_text("half made")
    bench.restart()

    assert bench.workspaces.path(key_of("a")) is None
    assert await bench.prepare(key_of("a"), writer()) == path
    assert (await bench.capture(key_of("a"))).files == ()


async def test_a_record_is_there_whole_or_not_at_all(bench: Bench, tmp_path: Path) -> None:
    record = (await bench.prepare(key_of("a"), writer())).with_suffix(".json")
    before, kept = record.read_text(), tmp_path / "kept"
    kept.hardlink_to(record)
    await bench.capture(key_of("a"))
    await bench.prepare(key_of("b"), writer())

    assert record.read_text() != before
    assert kept.read_text() == before  # another file took its place, and nobody wrote into it


async def test_a_workspace_never_handed_over_holds_no_work(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(WorkTrees, "reset", crash_later)
        with pytest.raises(Crash):
            await bench.prepare(key_of("a"), writer())
    bench.restart()
    assert await bench.capture(key_of("a")) == Captured(None)
    await bench.prepare(key_of("b"), writer())
    assert len(bench.worktrees()) == 2


async def test_a_worktree_without_a_record_is_made_anew(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    Path(f"{path}.json").unlink()
    bench.restart()
    assert await bench.prepare(key_of("b"), writer()) == path
    assert git_in(path, "status", "--porcelain") == ""
    assert len(bench.worktrees()) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 99}', '{"version": 1}'])
async def test_a_record_that_can_t_be_read_counts_for_nothing(bench: Bench, content: str) -> None:
    path = await bench.prepare(key_of("a"), writer())
    Path(f"{path}.json").write_text(content)
    bench.restart()
    assert await bench.prepare(key_of("b"), writer()) == path


STEPS: list[Callable[[pytest.MonkeyPatch], None]] = [
    lambda patch: patch.setattr(capturing, "keep_snapshot", crash_later),
    lambda patch: patch.setattr(capturing, "captured", crash),
    lambda patch: patch.setattr(capturing.CaptureRecords, "store", crash),
    lambda patch: patch.setattr(WorktreePool, "release", crash_later),
]


@pytest.mark.parametrize("arrange", STEPS)
async def test_a_capture_cut_short_answers_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, arrange: Callable[[pytest.MonkeyPatch], None]
) -> None:
    spec = writer(writes=("src/**",))
    path = await bench.prepare(key_of("a"), spec)
    (path / "new").write_text("new")
    (path / "src" / "one.py").write_text("changed")
    with monkeypatch.context() as patch:
        arrange(patch)
        with pytest.raises(Crash):
            await bench.capture(key_of("a"), spec)
    left = bench.refs()
    bench.restart()
    done = await bench.capture(key_of("a"), spec)
    assert done.files == ("new", "src/one.py")
    assert done.drift == ("new",)
    assert left in ({}, bench.refs())
    bench.restart()
    assert await bench.capture(key_of("a"), spec) == done
    assert await bench.prepare(key_of("b"), writer()) == path


async def test_a_capture_cut_short_is_not_the_answer_for_another_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (await bench.prepare(key_of("a"), writer()) / "old").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(capturing.CaptureRecords, "store", crash)
        with pytest.raises(Crash):
            await bench.capture(key_of("a"))
    bench.restart()
    (await bench.prepare(key_of("a"), writer(), "HEAD^") / "new").write_text("new")

    done = await bench.capture(key_of("a"))

    assert done.files == ("new",)
    assert bench.project.git("rev-parse", f"{done.work}^", "HEAD^").split()[0] == (
        bench.project.git("rev-parse", "HEAD^")
    )


async def test_a_capture_answers_from_the_ref_when_all_else_is_gone(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    (path / "new").write_text("new")
    done = await bench.capture(key_of("a"))
    (bench.places.attempt(key_of().run, key_of("a").task, 1) / "captured.json").unlink()
    bench.restart()
    assert await bench.capture(key_of("a")) == done


async def test_a_cancelled_preparation_frees_its_workspace(bench: Bench) -> None:
    preparing = asyncio.ensure_future(bench.prepare(key_of("a"), writer()))
    async with patience():
        while not (bench.places.pool / "1").exists():  # noqa: ASYNC110  # every turn counts
            await asyncio.sleep(0)
    preparing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await preparing
    path = await bench.prepare(key_of("a"), writer())
    assert (await bench.capture(key_of("a"))) == Captured(None)
    assert len(bench.worktrees()) == 2
    assert path.parent == bench.places.pool


@pytest.mark.parametrize("name", ["1", "7"])
async def test_a_worktree_half_made_by_a_git_that_was_killed_stops_no_other(
    bench: Bench, name: str
) -> None:
    half = bench.project.path / ".git" / "worktrees" / name
    half.mkdir(parents=True)
    (half / "locked").write_text("pex-tui")
    (half / "gitdir").write_text(f"{bench.places.pool / name}/.git\n")
    (half / "commondir").touch()
    path = await bench.prepare(key_of("a"), writer())
    assert path.parent == bench.places.pool
    assert len(bench.worktrees()) == 2


async def test_a_half_made_worktree_of_the_user_s_is_left_to_them(
    bench: Bench, tmp_path: Path
) -> None:
    half = bench.project.path / ".git" / "worktrees" / "theirs"
    half.mkdir(parents=True)
    (half / "gitdir").write_text(f"{tmp_path / 'theirs'}/.git\n")
    (half / "commondir").touch()
    await bench.prepare(key_of("a"), writer())
    assert (half / "commondir").exists()


async def test_a_shadow_that_is_gone_costs_time_but_no_work(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    shadow = Path(f"{path}.shadow")
    (path / "new").write_text("new")
    (shadow / "index").unlink()
    (shadow / "HEAD").unlink()
    (shadow / "index.lock").touch()
    assert (await bench.capture(key_of("a"))).files == ("new",)
    (shadow / "index").write_bytes(b"rubbish")
    assert await bench.prepare(key_of("b"), writer()) == path
    assert git_in(path, "status", "--porcelain", "--ignored") == ""


async def test_work_is_captured_past_the_lock_of_a_git_that_was_killed(
    bench: Bench, project: Project
) -> None:
    key, head = key_of("a"), CommitId(project.git("rev-parse", "HEAD"))
    workspace = await bench.workspaces.prepare(key, writer(), head)
    (workspace.path / "new.txt").write_text("new\n")
    lock = project.path / ".git" / "refs" / "pex" / key.run / "a" / "1.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    os.utime(lock, (1.0, 1.0))

    captured = await bench.workspaces.capture(key, writer())

    assert captured.files == ("new.txt",)
    assert captured.work == project.git("rev-parse", f"refs/pex/{key.run}/a/1")
