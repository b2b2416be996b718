"""The gate: verify commands on a clean checkout of the merge, bounded, leaving nothing behind."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import psutil
import pytest

from pex_tui.adapters.git.landing.gate_runner import MARK
from pex_tui.adapters.git.plumbing.bounded_command import end_marked
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.engine.ports import GateResult, WorkspaceError
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import RUN, World, executable, key, make_world
from tests.waiting import until


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    made = make_world(project, places)
    await made.lander.begin()
    return made


def shell(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script)


async def check(world: World, *scripts: str, commit: CommitId | None = None) -> GateResult:
    lander = world.with_gate(*(shell(script) for script in scripts))
    return await lander.gate(key("a"), commit or world.base)


async def test_without_verify_commands_everything_passes(world: World) -> None:
    assert await world.lander.gate(key("a"), world.base) == GateResult(passed=True, seconds=0.0)
    assert not (world.places.root / "gate").exists()


async def test_the_commands_see_the_commit_and_nothing_of_the_users(world: World) -> None:
    world.project.write("src/one.py", "dirty")
    commit = world.work({"new.py": "n\n", "run.sh": executable("#!/bin/sh\ntest -f new.py\n")})

    result = await check(
        world, "cat src/one.py | grep -q 'one = 1' && ./run.sh", "! read x", commit=commit
    )

    assert result.passed
    assert world.git("status", "--porcelain") == " M src/one.py"
    assert world.git("rev-parse", "HEAD") == world.base


async def test_a_failed_check_is_named_with_the_end_of_its_output(world: World) -> None:
    result = await check(
        world, "echo fine", "seq 1 500; printf '\\033[31mred\\033[0m\\n' >&2; exit 3", "echo never"
    )

    assert (result.passed, result.command) == (
        False,
        "sh -c 'seq 1 500; printf '\"'\"'\\033[31mred\\033[0m\\n'\"'\"' >&2; exit 3'",
    )
    lines = result.output.split("\n")
    assert lines[-2:] == ["red", "Exit code 3."]
    assert len(lines) == 201
    log = world.places.gate_output(RUN, key("a").task).read_text()
    assert "$ sh -c 'echo fine'\nfine\n" in log
    assert "never" not in log


async def test_a_signal_is_named(world: World) -> None:
    assert (await check(world, "kill -SEGV $$")).output == "Ended by SIGSEGV."


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("no-such-program", "-q"), "no-such-program was not found. Install it"),
        (("./src/one.py",), "./src/one.py can't be run: Permission denied"),
        (("./bad.sh",), "the interpreter that ./bad.sh names was not found"),
        (("sh", "a\0b"), "sh can't be run: embedded null byte"),
    ],
)
async def test_a_program_that_cannot_run_is_a_failed_check_in_words(
    world: World, argv: tuple[str, ...], words: str
) -> None:
    commit = world.work({"bad.sh": executable("#!/no/such/interpreter\n")})

    result = await world.with_gate(argv).gate(key("a"), commit)

    assert not result.passed
    assert words in result.output


async def test_a_check_that_takes_too_long_is_ended_with_all_it_started(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pex_tui.adapters.system.child_process._GRACE_SECONDS", 0.1)
    lander = world.with_gate(
        shell("setsid sleep 300 & trap '' TERM; echo begun; sleep 300"), timeout_seconds=0.3
    )

    result = await lander.gate(key("a"), world.base)

    assert result.output.removeprefix("begun\n") == "Not done within 0 s, so it was ended."
    assert result.command.endswith("sleep 300', not done within 0 s")
    assert survivors(world) == []


async def test_a_check_that_floods_its_log_is_ended(world: World) -> None:
    lander = world.with_gate(("yes",), output_limit_bytes=100_000)

    result = await lander.gate(key("a"), world.base)

    assert result.output.endswith("It printed more than 100000 bytes, so it was ended.")


async def test_a_gate_is_stopped_with_all_it_started(world: World) -> None:
    once = f"mkdir '{world.places.root}/tried' || exit 0; setsid sleep 300 & touch begun; sleep 300"
    lander = world.with_gate(shell(once))
    async with asyncio.TaskGroup() as group:
        gate = group.create_task(lander.gate(key("a"), world.base))
        await until((world.places.root / "gate" / "begun").exists)
        await lander.stop_gate(TaskId("a"))

    assert gate.result().stopped
    assert survivors(world) == []
    assert (await lander.gate(key("a"), world.base)).passed


@pytest.mark.parametrize("moment", ["at once", "in the setup"])
async def test_a_gate_is_stopped_before_its_first_check(world: World, moment: str) -> None:
    begun = asyncio.Event()

    async def setup(_: Path) -> None:
        begun.set()
        await asyncio.Event().wait()

    lander = world.with_gate(shell("touch ran"), setup=setup)
    async with asyncio.TaskGroup() as group:
        gate = group.create_task(lander.gate(key("a"), world.base))
        await (asyncio.sleep(0) if moment == "at once" else begun.wait())
        await lander.stop_gate(TaskId("a"))

    assert gate.result() == GateResult(passed=False, seconds=0.0, stopped=True)
    assert not (world.places.root / "gate" / "ran").exists()


async def test_two_gates_of_one_task_never_run_at_once(world: World) -> None:
    marks = world.places.root
    script = f"mkdir '{marks}/now' && sleep 0.2 && rmdir '{marks}/now'"
    lander = world.with_gate(shell(script))
    other = world.work({"new": "n"})

    results = await asyncio.gather(lander.gate(key("a"), world.base), lander.gate(key("a"), other))

    assert all(result.passed for result in results)


async def test_gates_of_two_tasks_run_at_the_same_time(world: World) -> None:
    a, b = world.places.root / "a", world.places.root / "b"
    script = f"touch '{a.parent}/'$PEX_TASK; until test -e '{a}' -a -e '{b}'; do sleep 0.01; done"
    lander = world.with_gate(shell(script), timeout_seconds=20.0)
    other = world.work({"new": "n"})

    results = await asyncio.gather(lander.gate(key("a"), world.base), lander.gate(key("b"), other))

    assert all(result.passed for result in results)


async def test_what_a_check_leaves_running_is_ended(world: World) -> None:
    assert (await check(world, "sleep 300 & setsid sleep 300 &")).passed
    assert survivors(world) == []


async def test_a_tree_that_passed_is_not_checked_again_in_this_run(world: World) -> None:
    counted = f"echo x >> '{world.places.root}/count'"
    count = world.places.root / "count"
    commit = world.work({"new": "n"})
    twin = world.work({"new": "n"})

    for checked in (commit, twin, commit):
        assert (await check(world, counted, commit=checked)).passed
    assert count.read_text() == "x\n"

    await check(world, counted, "true", commit=commit)
    await check(world, counted, commit=world.base)
    assert count.read_text() == "x\nx\nx\n"


async def test_a_tree_that_failed_is_checked_again(world: World) -> None:
    once = f"mkdir '{world.places.root}/tried' && exit 1; true"

    assert not (await check(world, once)).passed
    assert (await check(world, once)).passed


async def test_the_next_gate_finds_a_clean_checkout_whatever_the_last_one_did(
    world: World,
) -> None:
    mess = (
        "git checkout -q -b mine && echo x > src/one.py && git commit -qam mine && "
        "touch untracked build && mkdir -p deep/.git/x locked/in && touch locked/in/f && "
        "git update-index --assume-unchanged README.md && echo hidden > README.md && "
        "chmod 0 locked && git bisect start -q; rm -rf .git; echo 'gitdir: /nowhere' > .git"
    )
    assert (await check(world, mess)).passed
    commit = world.work({"new": "n"})

    checked = 'test "$(git rev-parse HEAD)" = ' + commit
    result = await check(
        world,
        checked,
        "grep -q Sample README.md",
        'test -z "$(git status --porcelain)"',
        commit=commit,
    )

    assert result.passed, result.output
    assert world.git("branch", "--list", "mine") == ""
    left = {path.name for path in (world.places.root / "gate").iterdir()}
    assert left == {".git", ".gitignore", "README.md", "docs", "new", "src"}


async def test_kept_paths_outlive_a_reset(world: World) -> None:
    lander = world.with_gate(shell("mkdir -p build && touch build/x stray.log"), keep=("build",))

    await lander.gate(key("a"), world.base)
    await lander.gate(key("a"), world.work({"new": "n"}))
    seen = await world.with_gate(shell("test -f build/x"), keep=("build",)).gate(
        key("a"), world.work({"newer": "n"})
    )

    assert seen.passed
    assert not (world.places.root / "gate" / "stray.log").exists()


@pytest.mark.parametrize("wreck", ["index.lock", "index", "HEAD", "folder", "repository"])
async def test_a_crash_of_the_last_gate_blocks_nothing(world: World, wreck: str) -> None:
    await check(world, "true")
    gate = world.places.root / "gate"
    if wreck == "folder":
        gate.rename(world.places.root / "gone")
    elif wreck == "repository":
        shutil.rmtree(gate / ".git")
    else:
        for git_dir in (gate / ".git", gate.with_name("gate.shadow")):
            (git_dir / wreck).write_bytes(b"")

    assert (await check(world, "test -f src/one.py", commit=world.work({"new": "n"}))).passed


async def test_setup_runs_first_and_its_failure_is_the_gates(world: World) -> None:
    async def setup(path: Path) -> None:
        if (path / "broken").exists():
            raise WorkspaceError("npm ci failed")
        (path / "ready").touch()

    lander = world.with_gate(shell("test -f ready"), setup=setup)

    assert (await lander.gate(key("a"), world.base)).passed
    broken = await lander.gate(key("a"), world.work({"broken": "x"}))
    assert (broken.passed, broken.command, broken.output) == (
        False,
        "workspaces.setup",
        "npm ci failed",
    )


async def test_checks_know_whose_work_they_check_and_no_git_of_ours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    gate = world.places.root / "gate"

    script = (
        f'test "$PEX_RUN $PEX_TASK $PEX_WORKSPACE" = "{RUN} a {gate}" && '
        'test -z "$GIT_DIR$GIT_INDEX_FILE"'
    )

    lander = world.with_gate(shell(script))
    assert (await lander.gate(key("a"), world.base)).passed


async def test_hooks_and_monitors_planted_in_the_configuration_never_run(world: World) -> None:
    proof = world.places.root / "planted"
    hook = world.project.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch '{proof}'\n")
    hook.chmod(0o755)
    world.git("config", "core.fsmonitor", f"touch '{proof}'; false")

    assert (await check(world, "true")).passed
    assert not proof.exists()


async def test_leftovers_of_a_killed_engine_are_ended_before_the_next_gate(world: World) -> None:
    gate = str((world.places.root / "gate").resolve())
    orphan = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import time; print(flush=True); time.sleep(300)"),
        env={**os.environ, MARK: gate},
        stdout=asyncio.subprocess.PIPE,
    )
    assert orphan.stdout is not None
    await orphan.stdout.readline()
    alive = f"grep -q '^State:.[^Z]' /proc/{orphan.pid}/status"

    assert (await check(world, f"! {alive}")).passed

    assert await orphan.wait() == -9


def survivors(world: World) -> list[psutil.Process]:
    gate = str((world.places.root / "gate").resolve())
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == gate:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def test_where_nothing_carries_the_mark_nobody_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    naps: list[float] = []
    monkeypatch.setattr("pex_tui.adapters.git.plumbing.bounded_command.time.sleep", naps.append)

    end_marked(MARK, "/nowhere")

    assert naps == []
