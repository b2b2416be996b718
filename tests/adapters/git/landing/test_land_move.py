"""The integration branch moves exactly once, removing only locks whose owner is dead."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.adapters.git.maintenance.runs_by_refs import find_runs
from pex_tui.adapters.git.plumbing.file_lock import file_lock
from pex_tui.adapters.git.plumbing.ref_lock import is_orphaned
from pex_tui.adapters.git.plumbing.ref_writer import Refs
from pex_tui.adapters.git.user_repository.integration_branch import Branch, IntegrationBranch
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.ports import (
    LandingError,
    Merged,
    Moved,
    MoveRefused,
)
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import BRANCH, RUN, World, key, make_world, spec
from tests.waiting import patience


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    made = make_world(project, places)
    made.always_anew = True
    await made.lander.begin()
    return made


async def candidate(world: World, task: str = "a") -> CommitId:
    merged = await world.merge(task, world.work({task: task}))
    assert isinstance(merged, Merged)
    return merged.candidate


def impatient(world: World) -> IntegrationBranch:
    """Return the world's branch, with little patience for locks."""
    refs = Refs(world.options.git, world.places.root / "landing.lock")
    quick = replace(refs, lock_patience_seconds=0.2, ref_patience_seconds=0.2)
    return IntegrationBranch(Branch(quick, BRANCH), RUN, world.base)


def ref_lock(world: World, content: str, age_seconds: float) -> Path:
    lock = world.project.path / ".git" / "refs" / "heads" / f"{BRANCH}.lock"
    lock.write_text(content)
    then = time.time() - age_seconds
    os.utime(lock, (then, then))
    return lock


async def test_a_git_that_is_killed_right_after_it_moved_the_branch_has_landed_the_task(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await candidate(world)
    real, script = shutil.which("git"), tmp_path / "programs" / "git"
    script.parent.mkdir()
    dies = 'case "$*" in *"lands a"*) kill -9 $$;; esac'
    script.write_text(f'#!/bin/sh\n{real} "$@" || exit\n{dies}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")

    assert await world.lander.move(key("a"), world.base, new) == Moved()
    assert world.commits_on() == ["Do a"]


async def test_moving_again_changes_nothing(world: World) -> None:
    new = await candidate(world)

    for _ in range(3):
        assert await world.lander.move(key("a"), world.base, new) == Moved()

    assert world.tip() == new
    assert world.git("reflog", "show", BRANCH, "--format=%gs").splitlines() == [
        "pex-tui: lands a",
        "pex-tui: begins",
    ]


async def test_a_commit_that_is_in_the_branch_already_has_moved(world: World) -> None:
    first = await world.landed("a", {"a": "a"})
    await world.land("b", world.work({"b": "b"}, start=first))

    assert await world.lander.move(key("a"), world.base, first) == Moved()


async def test_a_branch_that_moved_meanwhile_is_refused_in_words(world: World) -> None:
    late = await candidate(world, "late")
    landed = await world.landed("a", {"a": "a"})

    refused = await world.lander.move(key("late"), world.base, late)

    assert refused == MoveRefused(f"{BRANCH} is at {landed[:10]}, no longer at {world.base[:10]}")
    assert world.tip() == landed


async def test_many_landers_at_once_land_each_task_once(world: World) -> None:
    works = {f"t{number}": world.work({f"f{number}": "x"}) for number in range(6)}

    async def land(task: str, work: CommitId) -> None:
        lander = world.lander
        while True:
            merged = await lander.merge(key(task), spec(task), work)
            assert isinstance(merged, Merged)
            if await lander.move(key(task), merged.tip, merged.candidate) == Moved():
                return

    async with patience(), asyncio.TaskGroup() as group:
        for task, work in works.items():
            group.create_task(land(task, work))
            group.create_task(land(task, work))

    assert sorted(world.commits_on()) == sorted(f"Do {task}" for task in works)


async def test_a_checked_out_integration_branch_is_not_moved_under_it(world: World) -> None:
    new = await candidate(world)
    world.git("switch", "-q", BRANCH)

    with pytest.raises(LandingError, match=r"pex/7f3a is checked out in .*my project.*git switch"):
        await world.lander.move(key("a"), world.base, new)

    assert world.tip() == world.base
    assert world.git("status", "--porcelain") == ""


@pytest.mark.parametrize("mine", [True, False])
async def test_a_ref_lock_of_a_dead_git_is_removed(world: World, mine: bool) -> None:
    new = await candidate(world)
    lock = ref_lock(world, f"{new}\n" if mine else "", 0.0 if mine else 400_000_000.0)

    assert await world.lander.move(key("a"), world.base, new) == Moved()
    assert not lock.exists()


@pytest.fixture
async def bystanders(world: World) -> AsyncIterator[None]:
    """A git elsewhere, a program that is only called git, and a git here that only reads."""
    elsewhere = world.places.root / "elsewhere"
    world.git("init", "-q", str(elsewhere))
    named = world.places.root / "gitk"
    named.symlink_to(shutil.which("sleep") or "")
    here = world.project.path
    commands = [
        (("git", "hash-object", "--stdin"), elsewhere),
        ((str(named), "600"), here),
        (("git", "cat-file", "--batch"), here),
    ]
    pipe = asyncio.subprocess.PIPE
    started = [
        await asyncio.create_subprocess_exec(*argv, cwd=folder, stdin=pipe, stdout=pipe)
        for argv, folder in commands
    ]
    yield
    for process in started:
        process.kill()
        await process.communicate()


@pytest.mark.usefixtures("bystanders")
async def test_an_aged_lock_is_removed_though_processes_called_git_are_as_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await candidate(world)
    monkeypatch.setattr("pex_tui.adapters.git.plumbing.ref_lock._AGED_SECONDS", 0.0)
    lock = ref_lock(world, "", 0.0)
    for name in ("index", "packed-refs", "config", "shallow"):
        other = world.project.path / ".git" / f"{name}.lock"
        other.touch()
        assert is_orphaned(other), name

    assert await impatient(world).move(world.base, new, "lands a") == Moved()
    assert not lock.exists()


async def test_a_lock_that_anybody_has_open_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await candidate(world)
    monkeypatch.setattr("pex_tui.adapters.git.plumbing.ref_lock._AGED_SECONDS", 0.0)
    lock = ref_lock(world, "", 0.0)

    with lock.open(), pytest.raises(LandingError, match=rf"perhaps held by .*pid {os.getpid()}"):
        await impatient(world).move(world.base, new, "lands a")

    assert lock.exists()


async def test_a_ref_lock_that_a_living_git_may_hold_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await candidate(world)
    command = ("git", "update-ref", "--stdin")
    holder = await asyncio.create_subprocess_exec(
        *command,
        cwd=world.project.path,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write(f"start\nupdate refs/heads/{BRANCH} {world.work({'x': 'x'})}\n".encode())
    holder.stdin.write(b"prepare\n")
    await holder.stdout.readline()
    while b"prepare" not in await holder.stdout.readline():
        pass
    lock = world.project.path / ".git" / "refs" / "heads" / f"{BRANCH}.lock"
    monkeypatch.setattr("pex_tui.adapters.git.plumbing.ref_lock._AGED_SECONDS", 0.0)

    with pytest.raises(LandingError, match=rf"lock exists, perhaps held by git, pid {holder.pid}"):
        await impatient(world).move(world.base, new, "lands a")

    assert lock.exists()
    await holder.communicate(b"abort\n")
    assert await impatient(world).move(world.base, new, "lands a") == Moved()


async def test_a_young_ref_lock_stays_though_nobody_is_seen_to_hold_it(world: World) -> None:
    new = await candidate(world)
    lock = ref_lock(world, "f" * 40, age_seconds=-3600.0)  # young, however slow the machine is

    with pytest.raises(LandingError, match="its age does not prove it abandoned"):
        await impatient(world).move(world.base, new, "lands a")

    assert lock.exists()


async def test_a_landing_lock_that_stays_taken_is_named(world: World) -> None:
    new = await candidate(world)
    async with file_lock(world.places.root / "landing.lock", 1.0):
        with pytest.raises(LandingError, match=r"Another landing has held .*landing\.lock"):
            await impatient(world).move(world.base, new, "lands a")


async def test_a_child_that_inherited_the_landing_lock_holds_it_until_it_ends(
    world: World,
) -> None:
    path = world.places.root / "landing.lock"
    async with file_lock(path, 1.0) as descriptor:
        child = await asyncio.create_subprocess_exec(
            *("sh", "-c", "read line"), stdin=asyncio.subprocess.PIPE, pass_fds=(descriptor,)
        )

    with pytest.raises(LandingError):
        async with file_lock(path, 0.1):
            pass
    await child.communicate(b"go\n")
    async with file_lock(path, 1.0):
        pass


async def test_an_interrupted_git_leaves_no_lock_behind(world: World) -> None:
    """A cancelled call ends git politely, so that git removes its locks."""
    git = world.options.git
    fifo = world.places.root / "fifo"
    os.mkfifo(fifo)
    hold = f"!sh -c 'echo held > {fifo}; exec sleep 300'"
    async with patience():
        job = asyncio.ensure_future(git.run("-c", f"alias.hold={hold}", "hold"))
        await asyncio.to_thread(fifo.read_text)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job


def foreign(world: World) -> CommitId:
    """Return an agent's own commit, with trailers like ours, that no gate has checked."""
    trailers = f"Pex-Run: {RUN}\nPex-Task: a"
    return world.commit(world.tip(), {"evil": "x"}, f"not ours\n\n{trailers}")


@pytest.mark.parametrize("what", ["back", "gone", "on"])
@pytest.mark.parametrize("then", ["guard", "merge and move", "begin", "land"])
async def test_only_what_we_landed_is_ever_the_tip(world: World, what: str, then: str) -> None:
    landed = await world.landed("a", {"a": "a"})
    world.options = replace(world.options, tip=landed)
    lander, odd = world.lander, foreign(world)
    moved = {"back": [world.base], "gone": [], "on": [odd]}[what]
    world.git("update-ref", *([] if moved else ["-d"]), f"refs/heads/{BRANCH}", *moved)

    notices: tuple[str, ...] = ()
    if then == "begin":
        notices = await lander.begin()
    elif then == "merge and move":
        merged = await lander.merge(key("b"), spec("b"), world.work({"b": "b"}))
        assert isinstance(merged, Merged)
        assert await lander.move(key("b"), landed, merged.candidate) == Moved()
        assert world.commits_on() == ["Do a", "Do b"]
    elif then == "land":
        tip, _ = await lander.land_run("main")
        assert (tip, world.git("rev-parse", "main")) == (landed, landed)
    notices += await lander.guard()

    assert world.git("rev-parse", f"{BRANCH}:a")
    assert world.git("ls-tree", "--name-only", BRANCH, "evil") == ""
    assert len(notices) == 1
    assert notices[0].startswith(
        f"Somebody else {'deleted' if what == 'gone' else 'moved'} {BRANCH}"
    )
    if what == "on":
        assert world.git("rev-parse", f"refs/pex/{RUN}/_found-{odd[:12]}") == odd


async def test_what_a_user_commits_on_the_branch_is_put_aside_once_they_left_it(
    world: World,
) -> None:
    landed = await world.landed("a", {"a": "a"})
    world.options = replace(world.options, tip=landed)
    world.git("switch", "-q", BRANCH)
    mine = world.project.commit({"mine": "m"}, "mine")

    assert await world.lander.guard() == ()
    assert world.tip() == mine
    world.git("switch", "-q", "main")
    (notice,) = await world.lander.guard()

    assert f"git log {landed[:10]}..{mine[:10]}" in notice
    assert world.tip() == landed
    assert (await world.lander.land_run("main"))[0] == landed


async def test_landings_that_an_older_copy_of_the_journal_lacks_stay(world: World) -> None:
    first = await world.landed("a", {"a": "a"})
    second = await world.land("b", world.work({"b": "b"}, start=first))
    world.options = replace(world.options, tip=first)
    lander = world.lander

    notices = await lander.begin()

    assert await lander.tip() == second == world.tip()
    assert "the journal of run 7f3a does not know of" in notices[0]


@pytest.mark.parametrize("recorded", [True, False])
async def test_a_run_that_no_journal_knows_is_found_by_its_refs(
    world: World, recorded: bool
) -> None:
    first = await world.landed("a", {"a": "a"})
    second = await world.land("b", world.work({"b": "b"}, start=first))
    if recorded:
        world.git("update-ref", f"refs/heads/{BRANCH}", foreign(world))
    else:
        world.git("update-ref", "-d", f"refs/pex/{RUN}/_landed")

    (found,) = await find_runs(world.options.git)

    assert (found.run, found.base, found.tip) == (RUN, world.base, second)
    assert found.tasks == ("a", "b")
    assert (await world.lander.land_run("main"))[0] == second
