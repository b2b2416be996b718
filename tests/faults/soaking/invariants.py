"""What holds in every world: while a run is driven, and once it has ended."""

import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.process.records import read_exit
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.storage.journal_file import JournalError
from pex_tui.core.adoption import unfinished_actions
from pex_tui.core.events.run_events import Event, RunPlanned
from pex_tui.core.invariants import violations
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.phases import TERMINAL, Phase, RunStage
from pex_tui.core.model.state import RunState
from pex_tui.core.step import begin, step
from tests.faults.soaking.world import SoakError, World

_GONE_SECONDS = 60.0
ENDED = frozenset({0, 1, 3, 4, 6})
"""Exit codes of runs that are over."""
_CUT_SHORT = frozenset({5, 130, -1, -2, -3, -9, -15})
"""Those of engines that were ended, or whose predecessor is still ending; see `ask_to_end`."""


def events_of(world: World) -> list[Event]:
    """Return the run's events, or none while the journal can't be read (a full disk)."""
    places = world.places
    if places is None:
        return []
    try:
        journal = SqliteJournal(places.journal)
    except JournalError:
        return []
    try:
        return journal.read(RunId(world.run))
    finally:
        journal.close_now()


def replayed(events: list[Event]) -> RunState | None:
    """Return the state after all events; every prefix is a valid state that can be taken over."""
    if not events:
        return None
    first = events[0]
    if not isinstance(first, RunPlanned):
        raise SoakError("the journal replays", f"it begins with {first}")
    state = begin(first)
    for number, event in enumerate(events[1:], 2):
        try:
            state, _ = step(state, event)
            unfinished_actions(state)
        except Exception as error:
            raise SoakError("the journal replays", f"event {number}, {event}: {error}") from error
        if found := violations(state):
            raise SoakError("states are valid", f"event {number}, {event}: {found}")
    return state


def journal_replays(world: World) -> None:
    replayed(events_of(world))


def one_attempt_a_workspace(world: World) -> None:
    """No two attempts have processes in one workspace."""
    places = world.places
    if places is None:
        return
    tokens: dict[str, set[str]] = {}
    for pid in world.processes():
        with suppress(OSError):
            where = (Path("/proc") / str(pid) / "cwd").readlink()
            found = re.search(rb"PEX_TREE=([^\0]+)", Path(f"/proc/{pid}/environ").read_bytes())
            if where.is_relative_to(places.pool) and found:
                at = str(where.relative_to(places.pool).parts[0])
                tokens.setdefault(at, set()).add(found[1].decode())
    crowded = {at: found for at, found in tokens.items() if len(found) > 1}
    if crowded:
        raise SoakError("one attempt a workspace", f"workspaces with several: {crowded}")


def ended_well(world: World, code: int) -> None:
    """The engine ended with a known code and no exception, also no contained one.

    It ends with 2 and a reason where git was killed, or the disk was full, before it could begin.
    """
    said = world.said()
    is_known = code in ENDED | _CUT_SHORT or (code == 2 and world.hurt)
    if not is_known or "Traceback" in said or "pex-tui crashed" in said:
        raise SoakError("no exception", f"exit {code}: {said[-3000:]}")
    places = world.places
    faults = places.faults(RunId(world.run)) if places else None
    if faults is not None and faults.exists():
        raise SoakError("no internal error", faults.read_text()[-4000:])


def is_over(world: World) -> None:
    """A run that is left to itself ends, with every task in a final phase or with its reason."""
    state = replayed(events_of(world))
    assert state is not None
    if state.stage is not RunStage.FINISHED:
        raise SoakError("no stuck run", f"{state.stage}: {[t.phase for t in state.tasks]}")
    for task in state.tasks:
        if task.phase not in TERMINAL | {Phase.CONFLICT}:
            raise SoakError("no stuck run", f"{task.id} is {task.phase} in a finished run")
        if task.phase is Phase.FAILED and task.failure is None:
            raise SoakError("no stuck run", f"{task.id} is {task.phase} without a reason")


def landed_once(world: World) -> None:
    """Each landed task has one commit on the branch, and its file has one line."""
    state = replayed(events_of(world))
    assert state is not None
    landed = {str(task.id) for task in state.tasks if task.phase is Phase.LANDED}
    if not landed:
        return
    branch = f"pex/{world.run}"
    trailers = world.git(
        "log", "--format=%(trailers:key=Pex-Task,valueonly)", f"{state.base}..{branch}"
    )
    found = Counter(trailers.split())
    if set(found) != landed or any(count > 1 for count in found.values()):
        raise SoakError("landed once", f"the branch has {found}, the journal {landed}")
    files = world.git("ls-tree", "-r", "--name-only", branch, "work/", check=False).split()
    for name in (f"work/{task}.txt" for task in landed):
        text = world.git("show", f"{branch}:{name}") if name in files else ""
        if name in files and len(text.splitlines()) != 1:
            raise SoakError("landed once", f"{name} is {text!r}")


def work_is_kept(world: World) -> None:
    """What an attempt that ended well has written is reachable from a ref."""
    refs = world.git("for-each-ref", "--format=%(refname)").split()
    grep = ["grep", "-hoE", f"work {world.run} [a-z0-9-]+ [0-9]+\\.", *refs, "--", "work"]
    kept = set(world.git(*grep, check=False).splitlines())
    state = replayed(events_of(world))
    assert state is not None
    for task, attempt, folder in world.attempts():
        ended = read_exit(folder)
        spec = next(one for one in state.plan.tasks if one.id == task)
        if ended is None or ended.exit_code != 0 or spec.is_read_only or spec.brief is not None:
            continue
        if f"{task} {attempt}." not in world.exempt:
            told = f"work {world.run} {task} {attempt}."
            if told not in kept:
                raise SoakError("work is kept", f"{told} is on none of {refs}")


def repository_is_whole(world: World) -> None:
    """Git finds no damage, and no lock is left."""
    # The user's `prune` leaves a commit-graph of commits that no ref holds any more.
    world.git("-c", "core.commitGraph=false", "fsck", "--strict", "--no-dangling")
    git = world.top / ".git"
    # The user's own git is not ours to unlock; what is ours lies below pex.
    left = [str(path) for path in git.glob("refs/**/pex/**/*.lock") if path.stat().st_mtime]
    if left and any(time.time() - Path(path).stat().st_mtime < 3600 for path in left):
        raise SoakError("no lock is left", str(left))


def user_is_untouched(world: World) -> None:
    """The user's commits, branch and uncommitted files are as they were."""
    if (world.top / "mine.txt").read_text() != "not committed\n":
        raise SoakError("the user's files are untouched", "mine.txt has changed")
    status = world.git("status", "--porcelain")
    if status != "M mine.txt":
        raise SoakError("the user's files are untouched", status)
    for commit, branch in world.mine.items():
        if not world.git("branch", "--contains", commit, check=False):
            raise SoakError("the user's commits are kept", f"{commit} of {branch}")
    ours = world.git("log", "--format=%H", "--grep=Pex-Task", "main", check=False)
    if ours:
        raise SoakError("the user's branch is untouched", ours)


def no_orphans(world: World) -> None:
    """Nothing runs any more, and the engine's lock is free."""
    give_up_at = time.monotonic() + _GONE_SECONDS
    while (left := world.processes()) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    if left:
        told = subprocess.run(
            ["ps", "-o", "pid,ppid,args", "-p", ",".join(map(str, left))],
            capture_output=True,
            text=True,
            check=False,
        )
        raise SoakError("no orphans", told.stdout)
    if (holder := world.holder()) is not None:
        raise SoakError("the lock is free", str(holder))


THROUGHOUT: Mapping[str, Callable[[World], None]] = {
    "journal replays": journal_replays,
    "one attempt a workspace": one_attempt_a_workspace,
}
"""Checked between faults."""

AT_THE_END: Mapping[str, Callable[[World], None]] = {
    "no orphans": no_orphans,
    "run is over": is_over,
    "landed once": landed_once,
    "work is kept": work_is_kept,
    "repository whole": repository_is_whole,
    "user untouched": user_is_untouched,
}
"""Checked once a run has ended."""
