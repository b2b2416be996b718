"""Where a run's time went: slots there and busy, tasks waiting, and time that stood still."""

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
"""From and to, in absolute seconds."""


class Slots(Struct, frozen=True):
    """A stretch of a run's own time, in absolute seconds, and how many slots were there in it."""

    begin: float
    seconds: float
    count: int


class TaskTime(Struct):
    """A task's share: `waits` is seconds ready but not started, by cause.

    They are booked up to the moment `waited_until` of the run's clock. In the stretches of `off` it
    was paused, or asked a person.
    """

    waits: dict[str, float] = field(default_factory=dict)
    waited_until: float = 0.0
    off: list[Stretch] = field(default_factory=list)


class BusyTime(Struct, kw_only=True):
    """The run's share, in seconds.

    `slots` are those that were there in its own time, which `clock` counts, `busy_seconds` how long
    they were held.
    `person_seconds` is time in which a person had to let the run go on, `idle_seconds` time in
    which it had ended or had neither engine nor agents alive; the stretches of both are `off`.
    """

    slots: list[Slots] = field(default_factory=list)
    clock: float = 0.0
    busy_seconds: float = 0.0
    person_seconds: float = 0.0
    idle_seconds: float = 0.0
    off: list[Stretch] = field(default_factory=list)


def time_passed(total: BusyTime, state: RunState, since: float, seconds: float) -> None:
    """Book a stretch in which the state did not change; waits are left to `waited`."""
    if state.stage is RunStage.PAUSED or state.person_since is not None:
        total.person_seconds += seconds
        total.off.append((since, since + seconds))
        return
    busy = sum(task.phase in HOLDS_SLOT for _, task in state.live())
    total.slots.append(Slots(since, seconds, max(state.capacity, busy)))
    total.busy_seconds += seconds * busy
    total.clock += seconds


def waited(past: TaskTime, task: TaskState, clock: float) -> None:
    """Book what the task has waited as it was until now, by the run's clock."""
    if task.phase in _WAITS and clock > past.waited_until:
        cause = _waits_for(task)
        past.waits[cause] = past.waits.get(cause, 0.0) + clock - past.waited_until
    past.waited_until = clock


def idle(total: BusyTime, begin: float, end: float) -> None:
    """Book a stretch in which nothing of the run was alive."""
    total.idle_seconds += end - begin
    total.off.append((begin, end))


def on_seconds(begin: float, end: float, *off: Iterable[Stretch]) -> float:
    """How much of the time from `begin` to `end` is in no stretch of `off`."""
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
    """Time between an engine's end and the next one, in which agents may have run on.

    It counts up to the moment when the last of them ended; after that the run stood still.
    """

    state: RunState
    begin: float
    end: float
    seen: dict[TaskId, float] = field(default_factory=dict)  # how long each was alive in it

    def lived_through(self, task: TaskId, attempt: int) -> None:
        """The next engine found the attempt alive."""
        self._alive(task, attempt, self.end)

    def ended(self, task: TaskId, attempt: int, at: float) -> None:
        """The attempt ended, in the absence or later."""
        self._alive(task, attempt, min(at, self.end))

    def _alive(self, task: TaskId, attempt: int, until: float) -> None:
        entry = self.state.task(task)
        if entry.phase in HOLDS_SLOT and entry.attempt == attempt:
            self.seen[task] = max(self.seen.get(task, 0.0), until - self.begin, 0.0)

    def account(self, total: BusyTime, tasks: Mapping[TaskId, TaskTime]) -> None:
        """Book the time once all that is known of it has been told."""
        active = max(self.seen.values(), default=0.0)
        busy, clock = total.busy_seconds, total.clock
        time_passed(total, self.state, self.begin, active)
        for task in self.state.tasks:
            past = tasks[task.id]
            past.waited_until = clock
            waited(past, task, total.clock)
        if total.busy_seconds > busy:
            total.busy_seconds = busy + sum(self.seen.values())
        idle(total, self.begin + active, self.end)


def absence(state: RunState, event: Event, since: float) -> Absence | None:
    """Return the absence that an adoption ends; a paused or finished run stands still anyway."""
    standing = state.stage in {RunStage.PAUSED, RunStage.FINISHED}
    if not isinstance(event, RunAdopted) or standing or event.at <= since:
        return None
    return Absence(state, since, event.at)
