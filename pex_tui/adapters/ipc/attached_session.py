"""A run that another process drives: its journal is followed, and requests go to its engine."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from pex_tui.adapters.ipc.control_socket import ControlError, ask, ask_diff, attending, request_for
from pex_tui.adapters.storage.engine_lock import Holder
from pex_tui.adapters.storage.fault_log import FaultLog
from pex_tui.adapters.storage.journal import SqliteJournal, told_of
from pex_tui.core.events.run_events import Event
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.core.step import follow, replay
from pex_tui.engine.conflict_resolver import ConflictResolver
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.contained import Advisor
from pex_tui.engine.meter import Meter, live_roots
from pex_tui.engine.ports import GateResult, Lander, SlotPool
from pex_tui.engine.run_paths import RunPaths
from pex_tui.engine.session import Usage
from pex_tui.errors import UserError

_LOOK_SECONDS = 0.1
_LOOKS_FOR_OWNER = 10  # every so many looks, the owner is looked for


def _tell_nobody(_: str) -> None:
    """Ignore notices: the run is another process's, and so is its list of notices."""


class AttachedSession:
    """Follows a run in the journal and sends requests through the owner's control socket.

    `owner` returns the current owner of the repository. Any number of processes may follow one run.
    """

    is_own = False

    def __init__(
        self,
        journal: SqliteJournal,
        events: list[Event],
        places: RunPaths,
        lander: Lander,
        meter: Meter,
        owner: Callable[[], Holder | None],
        *,
        actor: str,
    ) -> None:
        self._journal = journal
        self._state = replay(events)
        self._places = places
        self._lander = lander
        self._desk = ConflictResolver(lander, actor)
        self._meter = meter
        self._owner = owner
        self._actor = actor
        self._listeners: list[Callable[[RunState], None]] = []
        self._aside = Advisor("Watching", _tell_nobody, FaultLog(places.faults(self._state.run)))
        self._following: asyncio.Task[None] | None = None

    @property
    def state(self) -> RunState:
        """The latest state in the journal."""
        return self._state

    @property
    def is_driven(self) -> bool:
        """True while an owner was last seen to drive the run."""
        return self._following is not None and not self._following.done()

    async def ask(self, event: Event) -> None:
        """Have the owner accept a person's request; raise UserError if it does not."""
        try:
            await ask(self._control(), **(request_for(event) | {"by": self._actor}))
        except ControlError as error:
            raise UserError(f"The process that drives the run refused: {error}") from error

    def subscribe(self, listener: Callable[[RunState], None]) -> Callable[[], None]:
        """Call the listener with each new state."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def serve(self, pool: SlotPool) -> None:
        """Follow the run as long as somebody drives it."""
        del pool  # the owner's slots are used, none of ours
        self._following = asyncio.create_task(self._attend(), name="follow")
        try:
            await asyncio.wait({self._following})
        finally:
            await self.let_go()
            self._journal.close_now()
        if not self._following.cancelled():
            self._following.result()

    async def let_go(self) -> None:
        """Stop following."""
        if self._following is not None and not self._following.done():
            self._following.cancel()
            await asyncio.wait({self._following})

    def output(self, task: TaskId, attempt: int) -> Path:
        """Return the log of an attempt."""
        return self._places.log(self.state.run, self.state.spec(task), attempt)

    async def diff(self, task: TaskId) -> str:
        """Return what the task has changed so far, from its owner while the task is live."""
        entry = self.state.task(task)
        if entry.holds_slot:
            try:
                return await ask_diff(self._control(), task)
            except ControlError as error:
                raise UserError(str(error)) from error
        commit = entry.landed or entry.work
        return "" if commit is None else await self._lander.diff(commit)

    async def sides(self, task: TaskId) -> tuple[ConflictSides, ...]:
        """Return the paths of the task's open conflict."""
        return await self._desk.sides(self.state, task)

    async def resolve(
        self, task: TaskId, decision: Decision, contents: dict[str, bytes | None]
    ) -> None:
        """Resolve the task's open conflict and have the owner queue it again."""
        await self.ask(await self._desk.decide(self.state, task, decision, contents))

    async def check(self, task: TaskId, contents: dict[str, bytes | None]) -> GateResult:
        """Run the gate on the resolution of the task's conflict."""
        return await self._desk.check(self.state, task, contents)

    async def usage(self) -> Usage:
        """Return the agents' resource usage since the last call."""
        reading = asyncio.to_thread(self._meter.read, live_roots(self.state))
        return await self._aside.ask(reading, otherwise=Usage())

    def _control(self) -> Path:
        holder = self._owner()
        if holder is None or holder.run != self.state.run or not holder.control:
            raise ControlError("no process drives this run now")
        return Path(holder.control)

    async def _attend(self) -> None:
        """Register with the owner as a person who can decide."""
        holder = self._owner()
        async with attending(Path(holder.control if holder else "")):
            await self._follow()

    async def _follow(self) -> None:
        """Read the journal until the run has no owner and everything written was read."""
        while self._has_owner():
            for _ in range(_LOOKS_FOR_OWNER):
                self._read()
                await asyncio.sleep(_LOOK_SECONDS)
        self._read()

    def _has_owner(self) -> bool:
        holder = self._owner()
        return holder is not None and holder.run == self.state.run

    def _read(self) -> None:
        news = self._journal.read(self.state.run, after=self._state.seq)
        with told_of(self.state.run):
            for event in news:
                self._state = follow(self._state, event)
        if news:
            for listener in tuple(self._listeners):
                self._aside.call(listener, self._state, otherwise=None)
