"""Killed at any step of a landing, a run lands each task once and harms no repository."""

import asyncio
import os
import random
import signal
import subprocess
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pex_tui.adapters.git.landing.lander import GitLander
from pex_tui.adapters.git.plumbing.file_lock import file_lock
from pex_tui.adapters.git.plumbing.git_runner import Git, GitResult
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.ports import Merged, Moved, MoveRefused
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import (
    BRANCH,
    LINES,
    World,
    edited,
    key,
    make_world,
    spec,
)
from tests.first_commits import Repositories

pytestmark = pytest.mark.faults
Job = Callable[[GitLander], Coroutine[Any, Any, None]]
_HEAD_START_SECONDS = 0.002
STRIDE = int(os.environ.get("PEX_CRASH_STRIDE", "8"))  # 1 tries each command of git, by hand


class DyingGit(Git, frozen=True):
    """Git whose caller is killed at a chosen command: before it, while it runs, or after it."""

    moment = ""
    countdown = 0

    async def run(self, *args: str, **options: Any) -> GitResult:
        DyingGit.countdown -= 1
        if DyingGit.countdown or not DyingGit.moment:
            return await super().run(*args, **options)
        if DyingGit.moment == "before":
            die()
        if DyingGit.moment == "during":
            asyncio.get_running_loop().call_later(_HEAD_START_SECONDS, die)
        answer = await super().run(*args, **options)
        die()
        return answer


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies(job: Job, lander: GitLander, moment: str, command: int) -> bool:
    """Run the job in a process killed at its n-th git command; return False if it completed."""
    child = os.fork()
    if child == 0:
        DyingGit.moment, DyingGit.countdown = moment, command
        try:
            asyncio.run(job(lander))
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repositories: Repositories) -> World:
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    project = Project(tmp_path / "project")
    repositories.make(project.path, (("begin", {"lines.txt": LINES, "other.txt": "o\n"}),))
    places = RunPaths(tmp_path / "state")
    places.root.mkdir()
    made = make_world(project, places, DyingGit)
    made.always_anew = True
    return made


def landing(world: World, task: str, work: CommitId) -> Job:
    """Return an engine that lands the task: it repeats its last action after a crash."""
    intent = world.places.root / f"{task}.intent"

    async def land(lander: GitLander) -> None:
        await lander.begin()
        while True:
            if intent.exists():
                old, new = (CommitId(commit) for commit in intent.read_text().split())
            else:
                merged = await lander.merge(key(task), spec(task), work, auto_resolve=True)
                assert isinstance(merged, Merged)
                old, new = merged.tip, merged.candidate
                if old == new:
                    return
                assert (await lander.gate(key(task), new)).passed
                fresh = intent.with_suffix(".new")
                fresh.write_text(f"{old} {new}")
                fresh.replace(intent)
            if await lander.move(key(task), old, new) == Moved():
                return
            intent.unlink()

    return land


def gated(world: World) -> GitLander:
    gate = replace(world.options.gate, verify=(("test", "-f", "lines.txt"),))
    return GitLander(replace(world.options, gate=gate, silent=("superset",)))


@pytest.mark.parametrize("moment", ["before", "during"])
def test_a_crash_at_any_command_of_a_landing_lands_once(world: World, moment: str) -> None:
    tasks, command = 0, 1 - STRIDE
    came_through = False
    while not came_through:
        tasks, command = tasks + 1, command + STRIDE
        work = world.work({f"file{tasks}": "x\n", "lines.txt": edited(l1="all the same")})
        job = landing(world, f"t{tasks}", work)
        came_through = not dies(job, gated(world), moment, command)
        assert not dies(job, gated(world), "", 0)
    assert command > 10
    assert world.commits_on() == [f"Do t{number}" for number in range(1, tasks + 1)]
    assert world.git("rev-parse", "main") == world.base
    assert list((world.project.path / ".git" / "refs").rglob("*.lock")) == []
    world.fsck()


def test_a_crash_while_a_conflict_is_resolved_automatically_lands_once(world: World) -> None:
    tasks, command = 0, 1 - 3 * STRIDE
    came_through = False
    while not came_through:
        tasks, command = tasks + 1, command + 3 * STRIDE
        held = "\n".join(f"from task {number}" for number in range(1, tasks + 1))
        job = landing(world, f"t{tasks}", world.work({"lines.txt": edited(l1=held)}))
        came_through = not dies(job, gated(world), "during", command)
        assert not dies(job, gated(world), "", 0)
    assert command > 20
    assert world.commits_on() == [f"Do t{number}" for number in range(1, tasks + 1)]
    assert world.files(BRANCH)["lines.txt"][1] == edited(l1=held)
    assert list(world.places.root.rglob("*.index*")) == []
    world.fsck()


def test_an_engine_that_is_killed_over_and_over_lands_once(world: World) -> None:
    dice = random.Random(7)  # noqa: S311 (a seed for crashes, not for secrets)
    for number in range(10):
        job = landing(world, f"t{number}", world.work({f"file{number}": "x\n"}))
        for _ in range(3):
            dies(job, gated(world), dice.choice(("before", "during", "after")), dice.randint(1, 16))
        assert not dies(job, gated(world), "", 0)

    assert world.commits_on() == [f"Do t{number}" for number in range(10)]
    world.fsck()


@pytest.mark.parametrize("moment", ["before", "during"])
@pytest.mark.parametrize("moved", [False, True])
def test_a_crash_at_any_command_of_land_leaves_the_user_whole(
    world: World, moment: str, moved: bool
) -> None:
    async def land(lander: GitLander) -> None:
        await lander.land_run("main")

    tasks, command = 0, 1 - STRIDE
    came_through = False
    users: list[str] = []
    while not came_through:
        tasks, command = tasks + 1, command + STRIDE
        job = landing(world, f"t{tasks}", world.work({f"file{tasks}": "x\n"}))
        assert not dies(job, world.lander, "", 0)
        if moved:
            users.append(f"Mine {tasks}")
            world.project.commit({f"mine{tasks}": "m\n"}, users[-1])
        came_through = not dies(land, gated(world), moment, command)
        assert not dies(land, gated(world), "", 0)
        assert world.git("status", "--porcelain") == ""

    assert command > 8
    landed = world.commits_on("main")
    assert sorted(landed) == sorted([f"Do t{n}" for n in range(1, tasks + 1)] + users)
    assert all((world.project.path / f"file{n}").exists() for n in range(1, tasks + 1))
    world.fsck()


async def test_an_orphaned_update_that_commits_late_lands_nothing_twice(world: World) -> None:
    """Its engine is dead, it holds no lock, and it swaps after the next engine has landed."""
    await world.lander.begin()
    merged = await world.merge("a", world.work({"a": "a\n"}))
    other = await world.merge("b", world.work({"b": "b\n"}))
    assert isinstance(merged, Merged)
    assert isinstance(other, Merged)
    orphan = await asyncio.create_subprocess_exec(
        *(
            "sh",
            "-c",
            f"read go; git update-ref refs/heads/{BRANCH} {merged.candidate} {world.base}",
        ),
        cwd=world.project.path,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )

    assert await world.lander.move(key("b"), other.tip, other.candidate) == Moved()
    await orphan.communicate(b"go\n")
    refused = await world.lander.move(key("a"), merged.tip, merged.candidate)
    assert isinstance(refused, MoveRefused)
    await world.land("a", world.work({"a": "a\n"}))

    assert orphan.returncode
    assert world.commits_on() == ["Do b", "Do a"]


async def test_the_next_engine_waits_for_an_orphan_that_still_holds_the_lock(
    world: World,
) -> None:
    await world.lander.begin()
    merged = await world.merge("a", world.work({"a": "a\n"}))
    assert isinstance(merged, Merged)
    async with file_lock(world.places.root / "landing.lock", 5.0) as descriptor:
        swap = f"git update-ref refs/heads/{BRANCH} {merged.candidate} {world.base}"
        orphan = await asyncio.create_subprocess_exec(
            *("sh", "-c", f"read go; {swap}"),
            cwd=world.project.path,
            stdin=subprocess.PIPE,
            pass_fds=(descriptor,),
        )

    async with asyncio.TaskGroup() as group:
        move = group.create_task(world.lander.move(key("a"), merged.tip, merged.candidate))
        done, _ = await asyncio.wait({move}, timeout=0.2)
        assert not done
        await orphan.communicate(b"go\n")

    assert move.result() == Moved()
    assert world.commits_on() == ["Do a"]


async def test_git_gc_between_merge_and_move_loses_nothing(world: World) -> None:
    await world.lander.begin()
    merged = await world.merge("a", world.work({"a": "a\n"}))
    assert isinstance(merged, Merged)

    world.git("gc", "-q", "--prune=now")
    world.git("worktree", "prune")
    world.git("pack-refs", "--all", "--prune")

    assert await world.lander.move(key("a"), merged.tip, merged.candidate) == Moved()
    world.fsck()
