"""A session of a run that this process drives."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from pex_tui.core.events.run_events import Event, Noticed
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.conflict_resolver import ConflictResolver
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.contained import Advisor
from pex_tui.engine.engine import Engine, Watcher
from pex_tui.engine.meter import Meter, live_roots
from pex_tui.engine.ports import GateResult, Ports, SlotPool
from pex_tui.engine.run_paths import RunPaths
from pex_tui.engine.session import Usage


class LocalSession:
    """A host's access to the engine and its ports.

    `release` is called once the run is no longer driven; it releases locks and files.
    """

    is_own = True

    def __init__(
        self,
        engine: Engine,
        ports: Ports,
        places: RunPaths,
        meter: Meter,
        release: Callable[[], None],
        *,
        actor: str,
    ) -> None:
        self.engine = engine
        self._ports = ports
        self._places = places
        self._meter = meter
        self._release = release
        self._desk = ConflictResolver(ports.lander, actor)
        self._metering = Advisor("Measuring agents", self._notice, ports.log)
        self._comparing = Advisor("The live diff", self._notice, ports.log)
        self._serving: asyncio.Task[None] | None = None

    @property
    def state(self) -> RunState:
        """Return the newest state."""
        return self.engine.state

    @property
    def is_driven(self) -> bool:
        """Return whether `serve` is at work."""
        return self._serving is not None and not self._serving.done()

    def post(self, event: Event) -> None:
        """Hand the engine an event."""
        self.engine.post(event)

    async def ask(self, event: Event) -> None:
        """Hand the engine a person's request."""
        self.engine.post(event)

    def subscribe(self, listener: Callable[[RunState], None]) -> Callable[[], None]:
        """Call the listener with each new state."""
        return self.engine.subscribe(listener)

    def watch(self, watcher: Watcher) -> None:
        """Call the watcher with each journaled event."""
        self.engine.watch(watcher)

    async def serve(self, pool: SlotPool) -> None:
        """Drive the run until it has finished or was released."""
        self._serving = asyncio.create_task(self.engine.serve(pool), name="engine")
        try:
            await asyncio.wait({self._serving})
        finally:
            await self.let_go()
            await self.close()
        if not self._serving.cancelled():
            try:
                self._serving.result()
            except ExceptionGroup as failures:
                raise failures.exceptions[0] from None  # the first cause, in its own words

    async def let_go(self) -> None:
        """Stop driving; agents run on. `serve` returns once everything is closed."""
        if self._serving is not None and not self._serving.done():
            self._serving.cancel()
            await asyncio.wait({self._serving})

    async def close(self) -> None:
        """Release what the session holds; `serve` does so itself."""
        await self._ports.runner.close()
        await self._ports.workspaces.close()
        await self._ports.journal.close()
        self._release()

    def output(self, task: TaskId, attempt: int) -> Path:
        """Return the log of an attempt."""
        return self._places.log(self.state.run, self.state.spec(task), attempt)

    async def diff(self, task: TaskId) -> str:
        """Return the task's changes so far."""
        entry = self.state.task(task)
        if entry.holds_slot:
            key = AttemptKey(self.state.run, task, entry.attempt)
            live = self._ports.workspaces.diff(key)
            return await self._comparing.ask(live, otherwise="… the changes can't be shown\n")
        commit = entry.landed or entry.work
        return "" if commit is None else await self._ports.lander.diff(commit)

    async def sides(self, task: TaskId) -> tuple[ConflictSides, ...]:
        """Return the paths of the task's open conflict."""
        return await self._desk.sides(self.state, task)

    async def resolve(
        self, task: TaskId, decision: Decision, contents: dict[str, bytes | None]
    ) -> None:
        """Resolve the task's open conflict and put it back in the queue."""
        self.post(await self._desk.decide(self.state, task, decision, contents))

    async def check(self, task: TaskId, contents: dict[str, bytes | None]) -> GateResult:
        """Run the gate on a possible resolution of the task's conflict."""
        return await self._desk.check(self.state, task, contents)

    async def usage(self) -> Usage:
        """Return the agents' resource usage, measured since the last call."""
        reading = asyncio.to_thread(self._meter.read, live_roots(self.state))
        return await self._metering.ask(reading, otherwise=Usage())

    def _notice(self, text: str) -> None:
        self.post(Noticed(text))
