"""Accounting of a run's time: slots available and busy, tasks waiting, and time off."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from pex_tui.core.events.run_events import Event, RunAdopted
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, Phase, RunStage
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import FailureKind, TaskState, WaitCause

BACKOFF = "backoff"
_WAITS = frozenset({Phase.READY, Phase.BACKOFF})
Stretch = tuple[float, float]
"""Start and end, in absolute seconds."""


class SlotStretch(Struct, frozen=True):
    """An interval of a run's own time, in absolute seconds, with the number of slots in it."""

    begin: float
    seconds: float
    count: int


class TaskTime(Struct):
    """The account of a task: `waits` are seconds between ready and start, by cause.

    They are booked up to `waited_until` on the run's clock. In the intervals of `off` the task was
    paused or waited for a person's answer.
    """

    waits: dict[str, float] = field(default_factory=dict)
    waited_until: float = 0.0
    off: list[Stretch] = field(default_factory=list)


class BusyTime(Struct, kw_only=True):
    """The account of the run, in seconds.

    `slots` are those available in the run's own time, which `clock` counts, `busy_seconds` the time
    that they were held. `person_seconds` is time in which only a person could continue the run,
    `idle_seconds` time after its end or without engine and agents; the intervals of both are `off`.
    """

    slots: list[SlotStretch] = field(default_factory=list)
    clock: float = 0.0
    busy_seconds: float = 0.0
    person_seconds: float = 0.0
    idle_seconds: float = 0.0
    off: list[Stretch] = field(default_factory=list)


def book_time(total: BusyTime, state: RunState, since: float, seconds: float) -> None:
    """Book an interval without state changes; `book_wait` books the waits."""
    if state.stage is RunStage.PAUSED or state.person_since is not None:
        total.person_seconds += seconds
        total.off.append((since, since + seconds))
        return
    busy = sum(task.phase in HOLDS_SLOT for _, task in state.live())
    total.slots.append(SlotStretch(since, seconds, max(state.capacity, busy)))
    total.busy_seconds += seconds * busy
    total.clock += seconds


def book_wait(past: TaskTime, task: TaskState, clock: float) -> None:
    """Book a task's wait until now, by the run's clock."""
    if task.phase in _WAITS and clock > past.waited_until:
        cause = _waits_for(task)
        past.waits[cause] = past.waits.get(cause, 0.0) + clock - past.waited_until
    past.waited_until = clock


def book_idle(total: BusyTime, begin: float, end: float) -> None:
    """Book an interval in which nothing of the run was alive."""
    total.idle_seconds += end - begin
    total.off.append((begin, end))


def active_seconds(begin: float, end: float, *off: Iterable[Stretch]) -> float:
    """Return how many of the seconds from `begin` to `end` are in no interval of `off`."""
    on, until = 0.0, begin
    for start, stop in sorted(stretch for stretches in off for stretch in stretches):
        on += max(0.0, min(start, end) - until)
        until = max(until, stop)
    return on + max(0.0, end - until)


def _waits_for(task: TaskState) -> str:
    if task.phase is Phase.BACKOFF:
        refused = task.failure is not None and task.failure.kind is FailureKind.LIMIT
        return WaitCause.LIMIT if refused else BACKOFF
    return WaitCause.SLOT if task.wait is None else task.wait.cause


class Absence(Struct):
    """The time between an engine's end and the next one, in which agents may have continued.

    It counts until the last of them ended; after that the run stood still.
    """

    state: RunState
    begin: float
    end: float
    seen: dict[TaskId, float] = field(default_factory=dict)  # how long each attempt was alive in it

    def lived_through(self, task: TaskId, attempt: int) -> None:
        """Record that the next engine found the attempt alive."""
        self._alive(task, attempt, self.end)

    def ended(self, task: TaskId, attempt: int, at: float) -> None:
        """Record the end of the attempt, during the absence or later."""
        self._alive(task, attempt, min(at, self.end))

    def _alive(self, task: TaskId, attempt: int, until: float) -> None:
        entry = self.state.task(task)
        if entry.phase in HOLDS_SLOT and entry.attempt == attempt:
            self.seen[task] = max(self.seen.get(task, 0.0), until - self.begin, 0.0)

    def account(self, total: BusyTime, tasks: Mapping[TaskId, TaskTime]) -> None:
        """Book the time once everything about it is known."""
        active = max(self.seen.values(), default=0.0)
        busy, clock = total.busy_seconds, total.clock
        book_time(total, self.state, self.begin, active)
        for task in self.state.tasks:
            past = tasks[task.id]
            past.waited_until = clock
            book_wait(past, task, total.clock)
        if total.busy_seconds > busy:
            total.busy_seconds = busy + sum(self.seen.values())
        book_idle(total, self.begin + active, self.end)


def absence(state: RunState, event: Event, since: float) -> Absence | None:
    """Return the absence that an adoption ends; None for a run that was paused or finished."""
    standing = state.stage in {RunStage.PAUSED, RunStage.FINISHED}
    if not isinstance(event, RunAdopted) or standing or event.at <= since:
        return None
    return Absence(state, since, event.at)
