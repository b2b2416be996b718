"""What a run's events add up to: spans of time, attempts, waits, slots; the raw side of figures."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pex_tui.core.events import (
    AgentExited,
    AgentStarted,
    Event,
    GateFinished,
    MergeConflicted,
    RunAdopted,
    RunFinished,
    RunPlanned,
    WorkMerged,
)
from pex_tui.core.ids import TaskId
from pex_tui.core.phases import HOLDS_SLOT, Phase, RunStage
from pex_tui.core.state import RunState, TaskState, WaitCause
from pex_tui.core.step import begin, step

BACKOFF = "backoff"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a task's life in one phase; absolute seconds."""

    phase: Phase
    begin: float
    end: float


@dataclass(slots=True)
class TaskHistory:
    """One task's past; seconds. `work` is its last attempt by the shim's clock."""

    attempts: int = 0
    first_started_at: float | None = None
    last_started_at: float | None = None
    exited_at: float | None = None
    waits: dict[str, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    @property
    def work_seconds(self) -> float:
        """How long its last attempt ran."""
        if self.last_started_at is None or self.exited_at is None:
            return 0.0
        return max(0.0, self.exited_at - self.last_started_at)


@dataclass(slots=True)
class RunHistory:
    """A whole run's past; seconds, absolute where they end in `_at`.

    `idle_seconds` is time in which the run stood still as a whole: paused, or interrupted.
    """

    state: RunState
    tasks: dict[TaskId, TaskHistory]
    began_at: float
    ended_at: float
    idle_seconds: float = 0.0
    slot_seconds: float = 0.0  # ∫m(t)dt
    busy_seconds: float = 0.0
    most_slots: int = 0
    gate_seconds: float = 0.0
    merged: set[TaskId] = field(default_factory=set)
    conflicted: set[TaskId] = field(default_factory=set)
    surprises: int = 0  # conflicts at landing between tasks that nobody had kept apart


def read_history(events: Iterable[Event]) -> RunHistory:
    """Replay a run's events and measure as they pass."""
    stream = iter(events)
    first = next(stream)
    if not isinstance(first, RunPlanned):
        raise TypeError(f"a run starts with RunPlanned, not with {type(first).__name__}")
    state = begin(first)
    history = RunHistory(
        state,
        {task.id: TaskHistory() for task in state.tasks},
        first.at,
        first.at,
        most_slots=state.capacity,
    )
    marks = {task.id: first.at for task in state.tasks}
    for event in stream:
        _pass_time(history, state, event)
        before, (state, _) = state, step(state, event)
        _note_phases(history, before, state, marks)
        _note_event(history, state, event)
    history.state = state
    for task in state.tasks:
        _close_span(history, task, marks[task.id], history.ended_at)
    return history


def _pass_time(history: RunHistory, state: RunState, event: Event) -> None:
    """The time since the last event, by what the run was doing in it."""
    elapsed = max(0.0, event.at - history.ended_at)
    history.ended_at = max(history.ended_at, event.at)
    interrupted = state.stage is RunStage.FINISHED and isinstance(event, RunAdopted)
    if state.stage is RunStage.PAUSED or interrupted:
        history.idle_seconds += elapsed
    elif state.stage is not RunStage.FINISHED:
        busy = sum(task.phase in HOLDS_SLOT for task in state.tasks)
        history.slot_seconds += elapsed * max(state.capacity, busy)
        history.busy_seconds += elapsed * busy
        history.most_slots = max(history.most_slots, state.capacity)
        for task in state.tasks:
            cause = _waits_for(task)
            if cause is not None:
                waits = history.tasks[task.id].waits
                waits[cause] = waits.get(cause, 0.0) + elapsed


def _waits_for(task: TaskState) -> str | None:
    if task.phase is Phase.BACKOFF:
        return BACKOFF
    if task.phase is not Phase.READY:
        return None
    return WaitCause.SLOT if task.wait is None else task.wait.cause


def _note_phases(
    history: RunHistory, before: RunState, after: RunState, marks: dict[TaskId, float]
) -> None:
    for old, new in zip(before.tasks, after.tasks, strict=True):
        if old.phase is not new.phase:
            _close_span(history, old, marks[old.id], after.now)
            marks[old.id] = after.now


def _close_span(history: RunHistory, task: TaskState, since: float, until: float) -> None:
    if until > since:
        history.tasks[task.id].spans.append(Span(task.phase, since, until))


def _note_event(history: RunHistory, state: RunState, event: Event) -> None:
    match event:
        case AgentStarted():
            _note_start(history.tasks[event.task], state.task(event.task), event)
        case AgentExited():
            history.tasks[event.task].exited_at = event.exited_at
        case GateFinished():
            history.gate_seconds += event.seconds
        case WorkMerged():
            history.merged.add(event.task)
        case MergeConflicted():
            history.merged.add(event.task)
            history.conflicted.add(event.task)
            excluded = state.graph.excluded[state.graph.index[event.task]]
            against = [state.graph.index[other] for other in event.against]
            history.surprises += not any(other in excluded for other in against)
        case RunFinished():
            history.ended_at = event.at
        case _:
            pass


def _note_start(past: TaskHistory, task: TaskState, event: AgentStarted) -> None:
    if past.last_started_at == event.started_at:
        return  # an adoption tells the same start again
    past.attempts += 1
    past.first_started_at = past.first_started_at or event.started_at
    past.last_started_at = event.started_at
    past.exited_at = None
    if task.dispatched_at is not None:
        past.latencies.append(max(0.0, event.started_at - task.dispatched_at))
