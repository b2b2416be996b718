"""Files in a workspace besides the commit, and which of them stay out of the work."""

import asyncio
import os
from pathlib import Path

import pytest

from pex_tui.adapters.git.workspaces.workspace_options import WorkspaceOptions
from pex_tui.engine.ports import Captured, WorkspaceError
from tests.adapters.git.conftest import Bench, git_in, key_of, reader, writer
from tests.adapters.process.runs import lives
from tests.waiting import until


async def test_included_files_are_copied_and_never_captured(bench: Bench) -> None:
    project = bench.project
    project.write(".worktreeinclude", ".env\nlocal/**\n!local/not.txt\nREADME.md\n")
    project.write(".env", "SECRET=1\n").chmod(0o600)
    project.write("local/settings.txt", "mine")
    project.write("local/not.txt", "stays")
    project.write("README.md", "# Changed by the user\n")
    path = await bench.prepare(key_of(), writer())
    assert (path / ".env").read_text() == "SECRET=1\n"
    assert (path / ".env").stat().st_mode & 0o777 == 0o600
    assert (path / "local" / "settings.txt").exists()
    assert not (path / "local" / "not.txt").exists()
    assert (path / "README.md").read_text() == "# Sample\n"
    (path / ".gitignore").unlink()
    (path / "local" / "settings.txt").write_text("changed")
    git_in(path, "add", "-A")
    git_in(path, "commit", "-q", "-m", "with the secret")
    assert (await bench.capture(key_of())).files == (".gitignore",)


async def test_each_workspace_gets_fresh_copies(bench: Bench) -> None:
    bench.project.write(".worktreeinclude", ".env\n")
    bench.project.write(".env", "A=1\n")
    path = await bench.prepare(key_of("a"), writer())
    (path / ".env").write_text("A=2\n")
    await bench.capture(key_of("a"))
    assert await bench.prepare(key_of("b"), writer()) == path
    assert (path / ".env").read_text() == "A=1\n"
    view = await bench.prepare(key_of("c"), reader())
    assert (view / ".env").read_text() == "A=1\n"
    assert await bench.capture(key_of("c"), reader()) == Captured(None)


async def test_links_that_leave_the_repository_are_not_copied(bench: Bench, tmp_path: Path) -> None:
    project = bench.project
    project.write(".worktreeinclude", "*.link\nout/**\n")
    (tmp_path / "outside").mkdir()
    (project.path / "abs.link").symlink_to(project.path / "README.md")
    (project.path / "up.link").symlink_to("../outside")
    (project.path / "fine.link").symlink_to("src/one.py")
    path = await bench.prepare(key_of(), writer())
    assert sorted(entry.name for entry in path.glob("*.link")) == ["fine.link"]
    assert (path / "fine.link").readlink() == Path("src/one.py")


async def test_nothing_is_written_through_a_link_of_the_commit(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (bench.project.path / "out").symlink_to(tmp_path / "outside")
    commit = bench.project.commit({})
    (bench.project.path / "out").unlink()
    bench.project.write("out/secret", "x")
    bench.project.write(".worktreeinclude", "out/\n")
    path = await bench.prepare(key_of(), writer(), commit)
    assert (path / "out").is_symlink()
    assert list((tmp_path / "outside").iterdir()) == []


async def test_odd_names_are_included(bench: Bench) -> None:
    name = os.fsdecode(b"odd \n\xff.env")
    bench.project.write(".worktreeinclude", "*.env\n")
    bench.project.write(name, "x")
    path = await bench.prepare(key_of(), writer())
    assert (path / name).exists()
    assert await bench.capture(key_of()) == Captured(None)


async def test_an_included_folder_stays_until_the_user_or_an_agent_touches_it(
    bench: Bench,
) -> None:
    bench.project.write(".worktreeinclude", "node_modules/\n")
    module = bench.project.write("node_modules/[x]/index.js", "one")
    inner = bench.project.path / "node_modules" / "link"
    inner.symlink_to("[x]/index.js")
    (bench.project.path / "node_modules" / "out").symlink_to("../../outside")
    path = await bench.prepare(key_of("a"), writer())
    copied = path / "node_modules" / "[x]" / "index.js"
    first = copied.stat()
    assert first.st_ino != module.stat().st_ino
    assert first.st_nlink == 1
    assert (path / "node_modules" / "link").readlink() == Path("[x]/index.js")
    assert not (path / "node_modules" / "out").is_symlink()
    await bench.capture(key_of("a"))

    await bench.prepare(key_of("b"), writer())
    assert copied.stat() == first
    copied.write_text("by an agent")
    await bench.capture(key_of("b"))

    await bench.prepare(key_of("c"), writer())
    assert copied.read_text() == "one"
    await bench.capture(key_of("c"))

    module.write_text("another")
    await bench.prepare(key_of("d"), writer())
    assert copied.read_text() == "another"


def counting(command: str) -> str:
    """Return a setup command that also notes each run beside the workspace."""
    return f'echo run >> "$PEX_WORKSPACE.runs" && {command}'


def runs(path: Path) -> int:
    """Return how often the setup ran in a workspace."""
    return Path(f"{path}.runs").read_text().count("run")


async def test_setup_runs_once_for_each_pooled_workspace(bench: Bench) -> None:
    command = counting("mkdir -p deps && touch deps/lib")
    bench.restart(WorkspaceOptions(setup=command, keep=("deps",)))
    path = await bench.prepare(key_of("a"), writer())
    assert (path / "deps" / "lib").exists()
    assert await bench.capture(key_of("a")) == Captured(None)
    assert await bench.prepare(key_of("b"), writer()) == path
    assert (path / "deps" / "lib").exists()
    assert runs(path) == 1
    other = await bench.prepare(key_of("c"), writer())
    assert runs(other) == 1
    await bench.capture(key_of("b"))
    bench.restart()
    assert await bench.prepare(key_of("d"), writer()) == path
    assert runs(path) == 1


async def test_setup_runs_again_when_its_inputs_change(bench: Bench) -> None:
    bench.restart(WorkspaceOptions(setup=counting("true")))
    path = await bench.prepare(key_of("a"), writer())
    await bench.capture(key_of("a"))
    for name, expected in (("x", 1), ("sub/uv.lock", 2), ("requirements-dev.txt", 3)):
        commit = bench.project.commit({name: "1"})
        await bench.prepare(key_of(name[0]), writer(), commit)
        await bench.capture(key_of(name[0]))
        assert runs(path) == expected
    bench.restart(WorkspaceOptions(setup=counting("true ")))
    await bench.prepare(key_of("z"), writer())
    assert runs(path) == 4


async def test_setup_runs_again_when_the_reset_took_what_it_made(bench: Bench) -> None:
    bench.restart(WorkspaceOptions(setup=counting("mkdir build && touch build/lib")))
    path = await bench.prepare(key_of("a"), writer())
    await bench.capture(key_of("a"))
    await bench.prepare(key_of("b"), writer())
    assert (path / "build" / "lib").exists()
    assert runs(path) == 2


async def test_what_setup_does_to_tracked_files_is_no_work(bench: Bench) -> None:
    bench.restart(WorkspaceOptions(setup=("sh", "-c", "echo x > README.md; echo y > made")))
    path = await bench.prepare(key_of(), writer())
    assert (path / "README.md").read_text() == "# Sample\n"
    (path / "mine").write_text("x")
    assert (await bench.capture(key_of())).files == ("mine",)


async def test_kept_paths_survive_and_others_don_t(bench: Bench) -> None:
    bench.project.commit({".gitignore": "node_modules\n*.log\nbuild\n"})
    bench.restart(WorkspaceOptions(keep=("node_modules", "*.log")))
    path = await bench.prepare(key_of("a"), writer())
    for name in ("node_modules/x/y", "src/node_modules/z", "build/out", "trace.log"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("x")
    await bench.capture(key_of("a"))
    assert await bench.prepare(key_of("b"), writer()) == path
    assert (path / "node_modules" / "x" / "y").exists()
    assert (path / "src" / "node_modules" / "z").exists()
    assert (path / "trace.log").exists()
    assert not (path / "build").exists()
    assert await bench.capture(key_of("b")) == Captured(None)


async def test_a_failing_setup_shows_the_end_of_its_output(bench: Bench) -> None:
    script = (
        "i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i+1)); done; printf '\\033[31mred'; exit 3"
    )
    bench.restart(WorkspaceOptions(setup=script))
    with pytest.raises(WorkspaceError) as failed:
        await bench.prepare(key_of("a"), writer())
    message = str(failed.value)
    assert "The setup command failed" in message
    assert "Exit code 3" in message
    assert "line 49\nred" in message
    assert "line 9\n" not in message
    assert "\x1b" not in message
    assert await bench.capture(key_of("a")) == Captured(None)
    bench.restart(WorkspaceOptions())
    await bench.prepare(key_of("b"), writer())
    assert len(bench.worktrees()) == 2


async def test_a_setup_that_hangs_is_ended(bench: Bench) -> None:
    options = WorkspaceOptions(setup=("sleep", "60"), setup_timeout_seconds=0.2)
    bench.restart(options)
    with pytest.raises(WorkspaceError, match="Not done within"):
        await bench.prepare(key_of("a"), writer())


async def test_a_setup_that_is_called_off_ends_with_all_it_started_and_frees_its_place(
    bench: Bench, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    script = f"setsid sleep 1000 & echo $! >> {pids}; echo $$ >> {pids}; sleep 1000"
    bench.restart(WorkspaceOptions(setup=("sh", "-c", script)))
    preparing = asyncio.create_task(bench.prepare(key_of("a"), writer()))
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    preparing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await preparing
    assert not any(lives(int(pid)) for pid in pids.read_text().split())
    assert bench.workspaces.path(key_of("a")) is None
    bench.restart(WorkspaceOptions())
    assert (await bench.prepare(key_of("b"), writer())).name == "1"


async def test_a_setup_program_that_is_missing_is_named(bench: Bench) -> None:
    bench.restart(WorkspaceOptions(setup=("no-such-program", "x")))
    with pytest.raises(WorkspaceError, match=r"no-such-program was not found.*workspaces\.setup"):
        await bench.prepare(key_of("a"), reader())
    bench.restart(WorkspaceOptions())
    await bench.prepare(key_of("a"), reader())
