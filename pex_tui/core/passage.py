"""Where a run's time went: slots there and busy, tasks waiting, and time that nobody drove it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pex_tui.core.events import Event, RunAdopted
from pex_tui.core.ids import TaskId
from pex_tui.core.phases import HOLDS_SLOT, Phase, RunStage
from pex_tui.core.state import FailureKind, RunState, TaskState, WaitCause

BACKOFF = "backoff"
_WAITS = frozenset({Phase.READY, Phase.BACKOFF})


@dataclass(slots=True)
class TaskTime:
    """A task's share, in seconds.

    `waits` is time ready but not started, by cause; `frozen_seconds` is how long the whole run was
    paused during its last attempt.
    """

    waits: dict[str, float] = field(default_factory=dict)
    frozen_seconds: float = 0.0


@dataclass(slots=True)
class BusyTime:
    """The run's share, in seconds.

    `slot_seconds` is ∫m(t)dt. `idle_seconds` is time in which the run stood still as a whole:
    paused, finished, or with neither engine nor agents alive.
    """

    most_slots: int = field(kw_only=True)
    slot_seconds: float = field(default=0.0, kw_only=True)
    busy_seconds: float = field(default=0.0, kw_only=True)
    idle_seconds: float = field(default=0.0, kw_only=True)


def time_passed(
    total: BusyTime, tasks: Mapping[TaskId, TaskTime], state: RunState, seconds: float
) -> None:
    """Book a stretch in which the state did not change."""
    if state.stage is RunStage.PAUSED:
        total.idle_seconds += seconds
        for task in state.tasks:
            if task.phase in HOLDS_SLOT:
                tasks[task.id].frozen_seconds += seconds
        return
    busy = 0
    for task in state.tasks:
        if task.phase in HOLDS_SLOT:
            busy += 1
        elif task.phase in _WAITS:
            waits = tasks[task.id].waits
            cause = _waits_for(task)
            waits[cause] = waits.get(cause, 0.0) + seconds
    total.slot_seconds += seconds * max(state.capacity, busy)
    total.busy_seconds += seconds * busy
    total.most_slots = max(total.most_slots, state.capacity)


def _waits_for(task: TaskState) -> str:
    if task.phase is Phase.BACKOFF:
        refused = task.failure is not None and task.failure.kind is FailureKind.LIMIT
        return WaitCause.LIMIT if refused else BACKOFF
    return WaitCause.SLOT if task.wait is None else task.wait.cause


@dataclass(slots=True)
class Absence:
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
        busy = total.busy_seconds
        time_passed(total, tasks, self.state, active)
        total.busy_seconds = busy + sum(self.seen.values())
        total.idle_seconds += self.end - self.begin - active


def absence(state: RunState, event: Event, since: float) -> Absence | None:
    """The absence that an adoption ends; a paused or finished run stands still anyway."""
    standing = state.stage in {RunStage.PAUSED, RunStage.FINISHED}
    if not isinstance(event, RunAdopted) or standing or event.at <= since:
        return None
    return Absence(state, since, event.at)
