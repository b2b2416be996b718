"""Monitor of attempts at work: reports what they change and where two of them overlap."""

import asyncio
import math
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from pex_tui.core.events.overlap_events import OverlapGone, OverlapSeen, WritesSeen
from pex_tui.core.events.run_events import Event, Noticed
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, IN_FLIGHT, Phase
from pex_tui.core.model.plan import Isolation
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.overlap_probe import ChangeSet, FolderWatcher, OverlapProbe
from pex_tui.engine.ports import Clock, WorkspaceError

MOST_FILES = 5000  # reported by name for one attempt at work
_REST_SECONDS = 0.5  # between two checks, to bound the cost of constant writes


class _Seen(Struct, frozen=True):
    """An attempt's changes at the last check."""

    attempt: int
    change_set: ChangeSet


class OverlapMonitor:
    """Follows a run's states and sends observations to `post`.

    A landed task's changes count until all tasks that were at work at its landing have ended.
    """

    def __init__(
        self,
        state: RunState,
        overlap_probe: OverlapProbe,
        clock: Clock,
        post: Callable[[Event], None],
    ) -> None:
        self._state = state
        self._overlap_probe = overlap_probe
        self._clock = clock
        self._post = post
        self._folders = _folders(state)
        self._watching: FolderWatcher | None = None
        self._stirred = asyncio.Event()
        self._changed: set[Path] = set()
        self._seen: dict[TaskId, _Seen] = {}
        self._told = {frozenset(one.tasks): one.paths for one in state.overlaps}

    def see(self, state: RunState) -> None:
        """Receive a newer state."""
        if state.tasks is self._state.tasks:
            return
        self._state = state
        folders = _folders(state)
        if folders != self._folders:
            self._folders = folders
            self._stirred.set()
            if self._watching is not None:
                self._watching.follow(frozenset(folders))

    async def run(self) -> None:
        """Monitor until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            group.create_task(self._look_around())

    async def _watch(self) -> None:
        """Wait for changes in the current workspaces."""
        with closing(self._overlap_probe.watch(self._warn)) as self._watching:
            self._watching.follow(frozenset(self._folders))
            while True:
                self._changed |= await self._watching.changes()
                self._stirred.set()

    def _warn(self, why: str) -> None:
        self._post(Noticed(f"Overlaps are checked every few seconds, not at each write: {why}."))

    async def _look_around(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            self._forget()
            changed, self._changed = self._changed, set()
            for folder in sorted(changed):
                key = self._folders.get(folder)
                if key is not None:
                    await self._look_at(key)
            await self._clock.sleep(_REST_SECONDS)

    def _forget(self) -> None:
        """Drop attempts that are over, and their overlaps."""
        live = [task for _, task in self._state.live()]
        for name, seen in list(self._seen.items()):
            task = self._state.task(name)
            counts = task.phase in IN_FLIGHT or any(_may_meet(task, other) for other in live)
            if not counts or task.attempt != seen.attempt:
                del self._seen[name]
        for pair in list(self._told):
            if not _may_meet(*map(self._state.task, pair)):
                self._tell(pair, ())

    async def _look_at(self, key: AttemptKey) -> None:
        known = self._seen.get(key.task)
        before = known.change_set if known is not None and known.attempt == key.attempt else None
        try:
            now = await self._overlap_probe.change_set(key, before)
            if now is None or now is before:
                return
            self._seen[key.task] = _Seen(key.attempt, now)
            self._tell_writes(key, now, before)
            for other, seen in list(self._seen.items()):
                if _may_meet(self._state.task(key.task), self._state.task(other)):
                    await self._compare(key.task, now, other, seen.change_set)
        except WorkspaceError:
            return  # checked again at its next change, and at landing in any case

    async def _compare(self, task: TaskId, now: ChangeSet, other: TaskId, then: ChangeSet) -> None:
        try:
            paths = await self._overlap_probe.overlap(now, then)
        except WorkspaceError:  # the user's `git gc` may have taken the objects of either
            self._seen.pop(task, None)
            self._seen.pop(other, None)
            raise
        self._tell(frozenset({task, other}), paths)

    def _tell_writes(self, key: AttemptKey, now: ChangeSet, before: ChangeSet | None) -> None:
        """Report the written paths, unless there are too many to report repeatedly."""
        known = before.files if before else ()
        if len(now.files) > MOST_FILES:
            if len(known) <= MOST_FILES:
                self._post(
                    Noticed(
                        f"{key.task} has changed more than {MOST_FILES:,} files: "
                        "they are listed once it has ended."
                    )
                )
        elif now.files != known:
            self._post(WritesSeen(key.task, key.attempt, now.files))

    def _tell(self, pair: frozenset[TaskId], paths: tuple[ConflictPath, ...]) -> None:
        if paths == self._told.get(pair, ()):
            return
        first, second = self._in_order(pair)
        if paths:
            self._told[pair] = paths
            self._post(OverlapSeen(first, second, paths))
        else:
            del self._told[pair]
            self._post(OverlapGone(first, second))

    def _in_order(self, names: Iterable[TaskId]) -> list[TaskId]:
        return sorted(names, key=lambda name: self._state.graph.index[name])


def _may_meet(one: TaskState, other: TaskState) -> bool:
    """Return whether the two can still overlap; a landed task counts if it overlapped the other."""
    if one.id == other.id:
        return False
    if one.phase in IN_FLIGHT and other.phase in IN_FLIGHT:
        return True
    landed, live = (one, other) if one.phase is Phase.LANDED else (other, one)
    if landed.phase is not Phase.LANDED or live.phase not in IN_FLIGHT:
        return False
    return (live.dispatched_at or math.inf) < (landed.ended_at or 0.0)


def _folders(state: RunState) -> dict[Path, AttemptKey]:
    """Return the workspaces of tasks at work, by folder."""
    return {
        Path(task.workspace): AttemptKey(state.run, task.id, task.attempt)
        for position, task in state.live()
        if task.phase in HOLDS_SLOT
        and task.workspace
        and state.plan.tasks[position].isolation is not Isolation.SHARED
    }
