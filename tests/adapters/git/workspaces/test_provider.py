"""Worktrees for writers: prepared, captured, handed on."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from pex_tui.adapters.git.capture import snapshot
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.ref_writer import write_refs
from pex_tui.adapters.git.workspaces.provider import GitWorkspaces
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.ports import Captured, WorkspaceError, WorkspaceGoneError
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Bench, git_in, key_of, writer

ODD_NAMES = ("with space.txt", "new\nline.txt", os.fsdecode(b"latin-\xe9.txt"), "-dash", '"q"')


async def test_a_writer_gets_a_checkout_of_its_own(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    assert path == bench.places.pool / "1"
    assert (path / "src" / "one.py").read_text() == "one = 1\n"
    assert git_in(path, "status", "--porcelain") == ""
    assert git_in(path, "rev-parse", "--abbrev-ref", "HEAD") == "HEAD"


async def test_work_becomes_one_commit_on_the_start_commit(bench: Bench) -> None:
    start = bench.project.git("rev-parse", "HEAD")
    path = await bench.prepare(key_of(), writer())
    (path / "src" / "one.py").write_text("one = 111\n")
    (path / "src" / "two.py").unlink()
    (path / "src" / "three.py").write_text("three = 3\n")
    (path / "trace.log").write_text("ignored")
    done = await bench.capture(key_of(), writer(message="feat: three\n\nWith a body."))
    assert done.files == ("src/one.py", "src/three.py", "src/two.py")
    assert done.drift == ()
    assert bench.refs() == {"refs/pex/7f3a/task/1": done.work}
    assert bench.project.git("log", "-1", "--format=%P|%an|%ce|%B", done.work or "") == (
        f"{start}|Ada Lovelace|ada@example.org|feat: three\n\nWith a body.\n"
    )
    assert bench.show(done.work, "src/one.py") == "one = 111"
    assert bench.workspaces.path(key_of()) is None


async def test_nothing_changed_is_no_commit(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "README.md").write_text("# Sample\n")
    assert await bench.capture(key_of()) == Captured(None)
    assert bench.refs() == {}


async def test_the_next_task_sees_nothing_of_the_one_before(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    (path / "src" / "one.py").write_text("changed")
    (path / "new.txt").write_text("new")
    (path / "build").mkdir()
    (path / "build" / "out").write_text("ignored")
    (path / "empty").mkdir()
    await bench.capture(key_of("a"))
    assert await bench.prepare(key_of("b"), writer()) == path
    assert sorted(entry.name for entry in path.iterdir()) == [
        ".git",
        ".gitignore",
        "README.md",
        "docs",
        "src",
    ]
    assert (path / "src" / "one.py").read_text() == "one = 1\n"
    assert await bench.capture(key_of("b")) == Captured(None)


async def test_a_reused_workspace_holds_the_commit_asked_for(bench: Bench) -> None:
    await bench.prepare(key_of("a"), writer(), "HEAD~1")
    await bench.capture(key_of("a"))
    path = await bench.prepare(key_of("b"), writer(), "HEAD")
    assert (path / "src" / "one.py").exists()
    (path / "mine").write_text("x")
    done = await bench.capture(key_of("b"))
    assert done.files == ("mine",)


async def test_writes_outside_the_declared_set_are_drift(bench: Bench) -> None:
    spec = writer(writes=("src/**",))
    path = await bench.prepare(key_of(), spec)
    (path / "src" / "one.py").rename(path / "docs" / "one.py")
    done = await bench.capture(key_of(), spec)
    assert done.files == ("docs/one.py", "src/one.py")
    assert done.drift == ("docs/one.py",)


async def test_odd_names_are_captured(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    for name in ODD_NAMES:
        (path / name).write_text("odd")
    done = await bench.capture(key_of())
    assert sorted(done.files) == sorted(ODD_NAMES)
    bench.restart()
    assert await bench.capture(key_of()) == done


async def test_types_and_modes_are_captured(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "README.md").unlink()
    (path / "README.md").symlink_to("src/one.py")
    (path / "src" / "one.py").chmod(0o755)
    (path / "src" / "two.py").unlink()
    (path / "src" / "two.py").mkdir()
    (path / "src" / "two.py" / "inner").write_text("deep")
    (path / "docs" / "a.md").unlink()
    (path / "docs").rmdir()
    (path / "docs").symlink_to("src")
    os.mkfifo(path / "pipe")
    done = await bench.capture(key_of())
    listing = bench.project.git("ls-tree", "-r", done.work or "").split("\n")
    modes = {line.partition("\t")[2]: line.split(" ")[0] for line in listing}
    assert modes == {
        ".gitignore": "100644",
        "README.md": "120000",
        "docs": "120000",
        "src/one.py": "100755",
        "src/two.py/inner": "100644",
    }


async def test_a_tracked_file_that_became_a_pipe_counts_as_removed(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "README.md").unlink()
    os.mkfifo(path / "README.md")
    assert (await bench.capture(key_of())).files == ("README.md",)


async def test_a_change_of_the_same_size_right_after_preparing_is_seen(bench: Bench) -> None:
    for attempt in range(1, 6):
        path = await bench.prepare(key_of(attempt=attempt), writer())
        with (path / "src" / "one.py").open("r+") as stream:  # the same inode, the same second
            stream.write("one = 9")
        done = await bench.capture(key_of(attempt=attempt))
        assert done.files == ("src/one.py",)


async def test_the_agents_git_trusts_no_file_that_ours_would_not(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    ours = path.with_name(f"{path.name}.shadow") / "index"

    # Its mtime tells git which files may have changed within the same clock tick.
    assert (path / ".git" / "index").stat().st_mtime_ns == ours.stat().st_mtime_ns


async def test_eight_are_prepared_at_once(bench: Bench) -> None:
    keys = [key_of(f"t{number}") for number in range(8)]
    paths = await asyncio.gather(*(bench.prepare(key, writer()) for key in keys))
    assert len(set(paths)) == 8
    for number, path in enumerate(paths):
        (path / f"{number}.txt").write_text("x")
    done = await asyncio.gather(*(bench.capture(key) for key in keys))
    assert [answer.files for answer in done] == [(f"{number}.txt",) for number in range(8)]
    again = [key_of(f"u{number}") for number in range(8)]
    assert set(await asyncio.gather(*(bench.prepare(key, writer()) for key in again))) == set(paths)
    assert len(bench.worktrees()) == 9
    bench.project.git("fsck", "--strict")


async def test_preparing_again_gives_the_same_workspace_untouched(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "half").write_text("done")
    assert await bench.prepare(key_of(), writer()) == path
    assert (path / "half").exists()


async def test_preparing_again_on_another_commit_keeps_what_was_there(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer(), "HEAD~1")
    (path / "half").write_text("done")
    assert await bench.prepare(key_of(), writer(), "HEAD") == path
    assert not (path / "half").exists()
    assert bench.show(bench.refs()["refs/pex/7f3a/task/1-rescued"], "half") == "done"


async def test_an_attempt_number_used_again_captures_anew(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "first").write_text("1")
    first = await bench.capture(key_of())
    path = await bench.prepare(key_of(), writer())
    (path / "second").write_text("2")
    second = await bench.capture(key_of())
    assert second.files == ("second",)
    assert bench.refs() == {
        "refs/pex/7f3a/task/1": second.work,
        "refs/pex/7f3a/task/1-rescued": first.work,
    }


async def test_the_user_s_checkout_is_never_touched(bench: Bench) -> None:
    project = bench.project
    project.write("src/one.py", "mine = 1\n")
    project.write("staged.txt", "staged")
    project.git("add", "staged.txt")
    index = (project.path / ".git" / "index").read_bytes()
    before = project.git("status", "--porcelain"), project.git("rev-parse", "HEAD", "main")
    path = await bench.prepare(key_of(), writer())
    assert (path / "src" / "one.py").read_text() == "one = 1\n"
    (path / "src" / "one.py").write_text("theirs = 1\n")
    await bench.capture(key_of())
    assert (project.path / ".git" / "index").read_bytes() == index
    after = project.git("status", "--porcelain"), project.git("rev-parse", "HEAD", "main")
    assert after == before
    assert not any(project.path in path.parents for path in map(Path, bench.worktrees()[1:]))


async def test_the_user_s_git_gc_and_prune_lose_nothing(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    (path / "one.txt").write_text("a")
    other = await bench.prepare(key_of("b"), writer())
    (other / "two.txt").write_text("b")
    first = await bench.capture(key_of("a"))
    bench.project.git("worktree", "prune", "--expire=now")
    bench.project.git("reflog", "expire", "--expire=now", "--all")
    bench.project.git("gc", "-q", "--prune=now")
    assert bench.show(first.work, "one.txt") == "a"
    second = await bench.capture(key_of("b"))
    assert bench.show(second.work, "two.txt") == "b"
    again = await bench.prepare(key_of("c"), writer())
    (again / "three.txt").write_text("c")
    bench.project.git("gc", "-q", "--prune=now")
    assert (await bench.capture(key_of("c"))).files == ("three.txt",)
    bench.project.git("fsck", "--strict")


async def test_objects_that_a_gc_took_before_the_ref_are_made_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "one.txt").write_text("soon gone")
    blob = git_in(path, "hash-object", "one.txt")
    loose = bench.repository.common_dir / "objects" / blob[:2] / blob[2:]
    calls: list[Mapping[str, CommitId]] = []

    async def collected(git: Git, refs: Mapping[str, CommitId]) -> None:
        calls.append(refs)
        if len(calls) == 1:
            loose.unlink()
        await write_refs(git, refs)

    monkeypatch.setattr(snapshot, "write_refs", collected)
    done = await bench.capture(key_of())
    assert len(calls) == 2
    assert bench.show(done.work, "one.txt") == "soon gone"


async def test_a_commit_that_is_not_there_is_a_clear_error(bench: Bench) -> None:
    with pytest.raises(WorkspaceError, match="git can't make a workspace"):
        await bench.workspaces.prepare(key_of(), writer(), CommitId("0" * 39 + "1"))


async def test_an_attempt_without_a_workspace_can_t_be_captured(bench: Bench) -> None:
    with pytest.raises(WorkspaceGoneError, match="was removed, with all of its changes"):
        await bench.capture(key_of())


async def test_an_identity_rewritten_by_an_agent_is_not_used(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    git_in(path, "config", "user.name", "Agent Smith")
    (path / "x").write_text("x")
    done = await bench.capture(key_of())
    assert bench.project.git("log", "-1", "--format=%an/%cn", done.work or "") == (
        "Ada Lovelace/Ada Lovelace"
    )


async def test_a_state_directory_behind_a_link_works(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    workspaces = GitWorkspaces(bench.repository, RunPaths(tmp_path / "link"))
    head = CommitId(bench.project.git("rev-parse", "HEAD"))
    for attempt in (1, 2):
        made = await workspaces.prepare(key_of(attempt=attempt), writer(), head)
        (made.path / "x").write_text("x")
        assert (await workspaces.capture(key_of(attempt=attempt), writer())).files == ("x",)
    assert len(list((tmp_path / "elsewhere" / "pool").glob("*/.git"))) == 1
