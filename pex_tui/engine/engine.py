"""The event loop of a run, the only caller of `step`: queue, journal, publish, perform."""

import asyncio
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from pex_tui.core.consequences import next_deadline
from pex_tui.core.coordination.agent_messages import open_permissions
from pex_tui.core.events.actions import Action, CaptureWork, RememberResolution
from pex_tui.core.events.agent_events import PermissionDecided
from pex_tui.core.events.run_events import (
    Event,
    Noticed,
    PauseRequested,
    ResumeRequested,
    RunPauseRequested,
    RunResumeRequested,
    TimePassed,
)
from pex_tui.core.lifecycle.scheduler import dispatch
from pex_tui.core.lifecycle.step_draft import IllegalTransition
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.run_rules import OverlapPolicy
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import Verdict
from pex_tui.core.outcome import NOBODY, ending
from pex_tui.core.step import step
from pex_tui.engine.contained import Advisor
from pex_tui.engine.event_queue import EventQueue
from pex_tui.engine.memory_monitor import MemoryMonitor, MemoryProbe, MemoryReading
from pex_tui.engine.meter import live_roots
from pex_tui.engine.overlap_monitor import OverlapMonitor
from pex_tui.engine.performer import Performer
from pex_tui.engine.ports import JournalFull, Ports, SlotPool

_FULL_DISK_RETRY_SECONDS = 1.0
_PAUSE_SECONDS = 600.0  # how long a person who paused something counts as present
Listener = Callable[[RunState], None]
Watcher = Callable[[int, Event], None]


class Engine:
    """Drives one run.

    An event is in the journal before the state it made is published or any of its actions is
    performed. One action starts while the journal is still writing: the capture of an agent's work,
    which the next engine repeats if this one dies. `attended` means that a person is present, as is
    everyone who attends or has just paused something: a decision that is due then keeps the run
    alive.
    """

    def __init__(self, state: RunState, ports: Ports, *, attended: bool) -> None:
        self.state = state
        self._ports = ports
        self._attended = attended
        self._visitors = 0
        self._there_until = 0.0
        self._queue = EventQueue()
        self._listeners: list[Listener] = []
        self._watchers: list[Watcher] = []
        self._unstored: list[asyncio.Future[bool]] = []
        self._has_ended = False
        self._telling = Advisor("Publishing the run's state", self._notice, ports.log)

    def post(self, event: Event) -> None:
        """Enqueue an event; call it on the loop's own thread."""
        self._queue.put(event)

    async def stored(self) -> bool:
        """Wait until all events so far are in the journal; return False if they never will be."""
        if self._has_ended:
            return False
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._unstored.append(waiting)
        return await waiting

    def attend(self) -> Callable[[], None]:
        """Register a person who may decide things; calling the result unregisters that person."""
        self._visitors += 1

        def leave() -> None:
            self._visitors -= 1
            self._queue.wake()

        return leave

    @property
    def _is_attended(self) -> bool:
        just_paused = self._ports.clock.now() < self._there_until
        return self._attended or self._visitors > 0 or just_paused

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call the listener with each published state; calling the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def watch(self, watcher: Watcher) -> None:
        """Call the watcher with each (seq, event) once it is in the journal."""
        self._watchers.append(watcher)

    async def serve(self, pool: SlotPool) -> None:
        """Drive the run until it has finished; cancelling releases it, and agents run on."""
        self._has_ended = False
        try:
            await self._drive(Performer(self.state, self._ports, pool, self.post))
        finally:
            self._has_ended = True
            self._tell_stored(self._unstored, stored=False)

    async def _drive(self, performer: Performer) -> None:
        async with asyncio.TaskGroup() as group:
            running: set[asyncio.Task[None]] = set()
            if (
                self._ports.overlap_probe is not None
                and self.state.rules.radar is not OverlapPolicy.OFF
            ):
                monitor = OverlapMonitor(
                    self.state, self._ports.overlap_probe, self._ports.clock, self.post
                )
                self.subscribe(monitor.see)
                advisor = Advisor("Overlap detection", self._notice, self._ports.log)
                watching = advisor.keep(monitor.run, self._ports.clock.sleep)
                running.add(group.create_task(watching, name="overlap monitor"))
            if (probe := self._ports.memory) is not None:
                memory = MemoryMonitor()
                self._measured(memory, probe.read(live_roots(self.state)))
                advisor = Advisor("Measuring memory", self._notice, self._ports.log)
                watching = advisor.keep(
                    lambda: self._watch_memory(probe, memory), self._ports.clock.sleep
                )
                running.add(group.create_task(watching, name="memory monitor"))
            await self._advance(self._queue.take(), performer, group, running)
            while self.state.stage is not RunStage.FINISHED:
                await self._news()
                await self._advance(self._queue.take(), performer, group, running)
            for task in running:
                task.cancel()

    async def _watch_memory(self, probe: MemoryProbe, monitor: MemoryMonitor) -> None:
        """Measure memory in a thread while tasks are at work or could start."""
        while True:
            await self._ports.clock.sleep(monitor.interval_seconds)
            standings = self.state.standings
            if standings.live or standings.ready:
                reading = await asyncio.to_thread(probe.read, live_roots(self.state))
                self._measured(monitor, reading)

    def _measured(self, monitor: MemoryMonitor, reading: MemoryReading) -> None:
        for event in monitor.events(self.state, reading):
            self.post(event)

    async def _news(self) -> None:
        """Wait for an event or for the next deadline, which is then an event itself."""
        now = self._ports.clock.now()
        deadline = next_deadline(self.state)
        if self._there_until > now:
            deadline = min(self._there_until, deadline or self._there_until)
        if deadline is None:
            await self._queue.wait()
            return
        try:
            async with asyncio.timeout(max(0.0, deadline - now)):
                await self._queue.wait()
        except TimeoutError:
            self._queue.put(TimePassed())

    async def _advance(
        self,
        batch: Iterable[Event],
        performer: Performer,
        group: asyncio.TaskGroup,
        running: set[asyncio.Task[None]],
    ) -> None:
        """Apply a batch and the scheduler's decisions on it, in one journal commit."""
        unstored, self._unstored = self._unstored, []  # events left over by a full disk
        applied: list[tuple[int, Event]] = []
        actions: list[tuple[RunState, Action]] = []
        state = self.state
        for event in batch:
            state = self._apply(state, event, applied, actions)
        for refusal in self._refusals(state):
            state = self._apply(state, refusal, applied, actions)
        while decisions := dispatch(state):
            for decision in decisions:
                state = self._apply(state, decision, applied, actions)
        while last := ending(state, self._ports.clock.now(), attended=self._is_attended):
            for event in last:
                state = self._apply(state, event, applied, actions)

        def perform(*, captures: bool) -> None:
            for asked, action in actions:
                if isinstance(action, CaptureWork) is captures:
                    task = group.create_task(performer.perform(asked, action))
                    if isinstance(action, RememberResolution):
                        continue  # a last landing ends the run; its resolution comes first
                    running.add(task)
                    task.add_done_callback(running.discard)

        perform(captures=True)
        try:
            await self._store(applied)
        except asyncio.CancelledError:
            self._unstored += unstored
            raise
        self._tell_stored(unstored, stored=True)
        self._publish(state, applied)
        perform(captures=False)

    def _apply(
        self,
        state: RunState,
        event: Event,
        applied: list[tuple[int, Event]],
        actions: list[tuple[RunState, Action]],
    ) -> RunState:
        stamped = event if event.at else replace(event, at=self._ports.clock.now())
        if isinstance(event, PauseRequested | RunPauseRequested):
            self._there_until = stamped.at + _PAUSE_SECONDS
        try:
            after, asked = step(state, stamped)
        except IllegalTransition as error:
            stamped = Noticed(f"ignored {type(event).__name__}: {error}", at=stamped.at)
            after, asked = step(state, stamped)
        if isinstance(event, ResumeRequested | RunResumeRequested) and not _is_held(after):
            self._there_until = 0.0
        applied.append((after.seq, stamped))
        actions.extend((after, action) for action in asked)
        return after

    def _refusals(self, state: RunState) -> list[PermissionDecided]:
        """Deny all permission requests of an unattended run, so that none hangs unseen."""
        if self._is_attended:
            return []
        return [
            PermissionDecided(task, asked.request, Verdict.DENY, NOBODY)
            for task, asked in open_permissions(state)
        ]

    async def _store(self, applied: list[tuple[int, Event]]) -> None:
        """Append the events; a full disk stops only the intake, and the state stays readable."""
        while applied:
            try:
                await self._ports.journal.append(self.state.run, applied)
            except JournalFull:
                await self._ports.clock.sleep(_FULL_DISK_RETRY_SECONDS)
            else:
                return

    def _tell_stored(self, waiting: list[asyncio.Future[bool]], *, stored: bool) -> None:
        for one in waiting:
            if not one.done():
                one.set_result(stored)

    def _publish(self, state: RunState, applied: list[tuple[int, Event]]) -> None:
        self.state = state
        for seq, event in applied:
            for watcher in self._watchers:
                self._telling.call(watcher, seq, event, otherwise=None)
        if applied:
            for listener in tuple(self._listeners):
                self._telling.call(listener, state, otherwise=None)

    def _notice(self, text: str) -> None:
        self.post(Noticed(text))


def _is_held(state: RunState) -> bool:
    """Return whether a person has paused the run or a task."""
    return state.stage is RunStage.PAUSED or any(task.held for task in state.tasks)
