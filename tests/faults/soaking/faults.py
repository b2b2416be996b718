"""Random faults: each does one thing to a world, and returns whether it found what to do it to."""

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil

from pex_tui.adapters.ipc.control_socket import ControlError, ask
from pex_tui.adapters.process.records import EXIT, START, read_exit, read_start
from tests.faults.soaking.world import World, signalled

_FULL_SECONDS = 1.5
_STOPPED_SECONDS = 0.5
_STALE_SECONDS = 3 * 24 * 3600.0


def kill_engine(world: World, _: Random) -> bool:
    assert world.engine is not None
    return signalled(world.engine.pid, signal.SIGKILL)


def ask_to_end(world: World, dice: Random) -> bool:
    """Signal the engine, sometimes twice."""
    assert world.engine is not None
    number = dice.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
    for _ in range(dice.randint(1, 2)):
        signalled(world.engine.pid, number)
        time.sleep(dice.uniform(0.0, 0.2))
    return True


def hang_up(world: World, _: Random) -> bool:
    """Close the app's terminal."""
    if world.terminal is None:
        return False
    world.terminal.hang_up()
    return True


def kill_shim(world: World, dice: Random) -> bool:
    found = world.live()
    return bool(found) and signalled(dice.choice(found).shim_pid, signal.SIGKILL)


def kill_agent(world: World, dice: Random) -> bool:
    found = [one.root_pid for one in world.live() if one.root_pid]
    return bool(found) and signalled(dice.choice(found), signal.SIGKILL)


def kill_launcher(world: World, dice: Random) -> bool:
    found = _launchers(world)
    return bool(found) and signalled(dice.choice(found), signal.SIGKILL)


def kill_git(world: World, _: Random) -> bool:
    """Kill a git of the engine, if there is one within a moment."""
    for _attempt in range(200):
        for pid in _gits(world):
            world.hurt = True
            return signalled(pid, signal.SIGKILL)
        time.sleep(0.002)
    return False


def stop_for_a_while(world: World, dice: Random) -> bool:
    """Stop the engine, a launcher, a shim or an agent, and let it go on."""
    assert world.engine is not None
    live = world.live()
    found = [world.engine.pid, *_launchers(world)]
    found += [pid for one in live for pid in (one.shim_pid, one.root_pid) if pid]
    pid = dice.choice(found)
    if not signalled(pid, signal.SIGSTOP):
        return False
    time.sleep(_STOPPED_SECONDS)
    return signalled(pid, signal.SIGCONT)


def cut_power(world: World, dice: Random) -> bool:
    """Kill everything at once; after a reboot, records are of another boot or torn."""
    world.kill_all()
    other_boot = dice.random() < 0.5
    for _, _, folder in world.attempts():
        if read_exit(folder) is None and (start := read_start(folder)) is not None and other_boot:
            torn = dice.random() < 0.3
            text = json.dumps(start._asdict())
            again = text[: len(text) // 2] if torn else text.replace(start.boot_id, "another")
            (folder / START).write_text(again)
            (folder / EXIT).unlink(missing_ok=True)
    return True


def kill_all_but_agents(world: World, _: Random) -> bool:
    """Kill engine, launchers and shims together."""
    for pid in (*_launchers(world), *(one.shim_pid for one in world.live())):
        signalled(pid, signal.SIGKILL)
    return kill_engine(world, Random(0))  # noqa: S311  # unused


def steer(world: World, dice: Random) -> bool:
    """Send the engine a request of a person."""
    holder = world.holder()
    if holder is None or not holder.control:
        return False
    tasks = [task for task, _, _ in world.attempts()] or ["t0"]
    wanted: dict[str, Any] = {"request": dice.choice(_REQUESTS)}
    if wanted["request"] in _OF_TASKS:
        wanted["task"] = dice.choice(tasks)
    extra: Mapping[str, dict[str, Any]] = {
        "slots": {"slots": dice.randint(1, 6)},
        "tell": {"text": "Hurry."},
        "drain": {"kill": dice.random() < 0.5},
        "decide": {"decision": "rerun"},
    }
    try:
        asyncio.run(ask(Path(holder.control), **wanted, **extra.get(wanted["request"], {})))
    except ControlError:
        return False
    finally:
        if wanted["request"] in {"pause_run", "pause"}:
            _resume_later(holder.control, wanted, dice)
    return True


def use_git(world: World, dice: Random) -> bool:
    """Do with git what a user does meanwhile."""
    match dice.choice(["gc", "prune", "commit", "switch", "pack", "clean", "stash", "repack"]):
        case "gc":  # it may find a lock of a git that was killed
            world.git("gc", "-q", "--prune=now", check=False)
        case "prune":
            world.git("worktree", "prune", check=False)
            world.git("prune", "--expire=now", check=False)
        case "commit":
            name = f"mine{len(world.mine)}.txt"
            (world.top / name).write_text("mine\n")
            world.git("add", name)
            world.git("commit", "-qm", name, "--", name)
            branch = world.git("symbolic-ref", "--short", "HEAD")
            world.mine[world.git("rev-parse", "HEAD")] = branch
        case "switch":
            now = world.git("symbolic-ref", "--short", "HEAD")
            world.git("switch", "-q", *(["main"] if now != "main" else ["-C", "other"]))
        case "pack":
            world.git("pack-refs", "--all", "--prune", check=False)
        case "clean":
            world.git("clean", "-fdxq")
        case "stash":
            world.git("stash", "-q")
            world.git("stash", "pop", "-q")
        case _:
            world.git("repack", "-adq", check=False)
    return True


def fill_disk(world: World, _: Random) -> bool:
    """Fill the disk of the state directory for a moment."""
    if not world.small:
        return False
    world.hurt = True
    filler = world.state / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * (1 << 16))
    time.sleep(_FULL_SECONDS)
    filler.unlink()
    return True


def leave_locks(world: World, dice: Random) -> bool:
    """Leave locks of a git that died days ago."""
    git = world.top / ".git"
    places = [git / "refs" / "heads" / "pex" / f"{world.run}.lock"]
    places += [one / "index.lock" for one in git.glob("worktrees/*")]
    lock = dice.choice(places)
    if not lock.parent.is_dir() or lock.exists():
        return False
    lock.touch()
    long_ago = time.time() - _STALE_SECONDS
    os.utime(lock, (long_ago, long_ago))
    return True


def lose_a_folder(world: World, dice: Random) -> bool:
    """Remove an attempt's records or a workspace, while nobody drives the run."""
    places = world.places
    if places is None:
        return False
    kill_engine(world, dice)
    records = [folder for _, _, folder in world.attempts()]
    pooled = list(places.pool.glob("[0-9]*"))
    found = [*records, *pooled]
    if not found:
        return False
    world.exempt |= {f"{task} {attempt}." for task, attempt, _ in world.attempts()}
    shutil.rmtree(dice.choice(found), ignore_errors=True)
    return True


FAULTS: Mapping[str, tuple[Callable[[World, Random], bool], int]] = {
    "engine killed": (kill_engine, 5),
    "engine signalled": (ask_to_end, 3),
    "terminal hung up": (hang_up, 3),
    "shim killed": (kill_shim, 5),
    "agent killed": (kill_agent, 5),
    "launcher killed": (kill_launcher, 3),
    "git killed": (kill_git, 5),
    "process stopped": (stop_for_a_while, 4),
    "power cut": (cut_power, 2),
    "all but agents killed": (kill_all_but_agents, 2),
    "steered": (steer, 8),
    "user's git": (use_git, 7),
    "disk full": (fill_disk, 3),
    "stale lock": (leave_locks, 2),
    "folder lost": (lose_a_folder, 1),
}
"""What can happen, and how often."""

GENTLE = ("shim killed", "agent killed", "launcher killed", "git killed", "steered", "user's git")
"""Faults that an engine lives through."""

_OF_TASKS = frozenset({"pause", "resume", "boost", "abort", "retry", "tell", "decide", "diff"})
_REQUESTS = (
    *("pause", "resume", "boost", "abort", "retry", "tell", "decide", "diff"),
    *("pause_run", "resume_run", "boost_run", "slots", "drain", "abort_run", "extend_budget"),
)


def _resume_later(control: str, wanted: Mapping[str, Any], dice: Random) -> None:
    time.sleep(dice.uniform(0.05, 1.0))
    again = {**wanted, "request": wanted["request"].replace("pause", "resume")}
    with suppress(ControlError):
        asyncio.run(ask(Path(control), **again))


def _launchers(world: World) -> list[int]:
    """Return the processes that shims belong to."""
    found = set()
    for one in world.live():
        with suppress(psutil.Error):
            parent = psutil.Process(one.shim_pid).parent()
            if parent is not None and parent.pid > 1 and parent.pid != os.getpid():
                found.add(parent.pid)
    return sorted(found)


def _gits(world: World) -> list[int]:
    assert world.engine is not None
    found = []
    with suppress(psutil.Error):
        for child in psutil.Process(world.engine.pid).children(recursive=True):
            with suppress(psutil.Error):
                if child.name() == "git":
                    found.append(child.pid)
    return found
