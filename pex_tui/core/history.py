"""What a run's events add up to: spans of time, attempts, waits, slots; the raw side of figures."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pex_tui.core.costs import ConflictCosts
from pex_tui.core.events import AgentExited, AgentStarted, Event, RunPlanned
from pex_tui.core.foresight import Forecast, forecast
from pex_tui.core.ids import TaskId
from pex_tui.core.landing_events import GateFinished, MergeConflicted, WorkMerged
from pex_tui.core.passage import Absence, BusyTime, TaskTime, absence, time_passed
from pex_tui.core.phases import HOLDS_SLOT, Phase, RunStage
from pex_tui.core.state import FailureKind, RunState, TaskState
from pex_tui.core.step import begin, step


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a task's life in one phase; absolute seconds."""

    phase: Phase
    begin: float
    end: float


@dataclass(slots=True)
class TaskHistory(TaskTime):
    """One task's past; seconds. `exited_at` is the end of the last attempt by the shim's clock."""

    attempts: int = 0
    first_started_at: float | None = None
    last_started_at: float | None = None
    exited_at: float | None = None
    seen_at: float | None = None  # when an attempt that still runs was seen last
    latencies: list[float] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    @property
    def last_attempt(self) -> tuple[float, float] | None:
        """When it began and ended, or was seen last; None before it is known."""
        until = self.seen_at if self.exited_at is None else self.exited_at
        if self.last_started_at is None or until is None:
            return None
        return self.last_started_at, until

    @property
    def work_seconds(self) -> float:
        """How long its last attempt ran, or runs; time in which the whole run stood is left out."""
        if self.last_attempt is None:
            return 0.0
        begin, end = self.last_attempt
        return max(0.0, end - begin - self.frozen_seconds)

    def ran_beside(self, other: "TaskHistory") -> bool:
        """Whether the last attempts of both were at work at one time."""
        if self.last_attempt is None or other.last_attempt is None:
            return False
        begins, ends = zip(self.last_attempt, other.last_attempt, strict=True)
        return max(begins) < min(ends)


@dataclass(slots=True)
class RunHistory(BusyTime):
    """A whole run's past; seconds, absolute where they end in `_at`.

    `ended_at` is the last moment at which it was not finished. `gate_seconds` is the least that the
    gate had to take: all of its runs where they went one by one, the longest where they need not.
    """

    state: RunState
    tasks: dict[TaskId, TaskHistory]
    began_at: float
    ended_at: float
    gate_seconds: float = 0.0
    merged: set[TaskId] = field(default_factory=set)
    conflicted: set[TaskId] = field(default_factory=set)
    sighted: set[frozenset[TaskId]] = field(default_factory=set)  # pairs seen colliding at work
    met: set[frozenset[TaskId]] = field(default_factory=set)  # pairs that collided at landing
    costs: ConflictCosts = field(default_factory=ConflictCosts)
    absences: list[Absence] = field(default_factory=list)  # booked once all events were seen

    @property
    def forecast(self) -> Forecast:
        """What the plan foresaw, judged by the run so far."""
        return forecast(self.state, self.sighted | self.met)

    @property
    def makespan_seconds(self) -> float:
        """From the plan to the end, without the time in which the run stood still as a whole."""
        return max(0.0, self.ended_at - self.began_at - self.idle_seconds)


def read_history(events: Iterable[Event]) -> RunHistory:
    """Replay a run's events and measure as they pass."""
    stream = iter(events)
    first = next(stream)
    if not isinstance(first, RunPlanned):
        raise TypeError(f"a run starts with RunPlanned, not with {type(first).__name__}")
    state = begin(first)
    history = RunHistory(
        state=state,
        tasks={task.id: TaskHistory() for task in state.tasks},
        began_at=first.at,
        ended_at=first.at,
        most_slots=state.capacity,
    )
    marks = {task.id: first.at for task in state.tasks}
    for event in stream:
        before, (state, _) = state, step(state, event)
        _pass_time(history, before, state, event)
        _note_phases(history, before, state, marks)
        _note_collisions(history, before, state)
        _note_event(history, state, event)
    _close(history, state, marks)
    for gap in history.absences:
        gap.account(history, history.tasks)
    return history


def _pass_time(history: RunHistory, before: RunState, after: RunState, event: Event) -> None:
    """The time since the last event, by what the run was doing in it."""
    finished = before.stage is RunStage.FINISHED
    if finished and after.stage is RunStage.FINISHED:
        return
    elapsed = max(0.0, event.at - history.ended_at)
    gap = absence(before, event, history.ended_at)
    history.ended_at += elapsed
    if finished:
        history.idle_seconds += elapsed
    elif gap is not None:
        history.absences.append(gap)
    else:
        time_passed(history, history.tasks, before, elapsed)
        if before.stage is not RunStage.PAUSED:
            history.costs.stood_still(before, elapsed)


def _note_collisions(history: RunHistory, before: RunState, after: RunState) -> None:
    history.costs.decided(before, after)
    if after.overlaps is not before.overlaps:
        history.sighted.update(frozenset(overlap.tasks) for overlap in after.overlaps)


def _note_phases(
    history: RunHistory, before: RunState, after: RunState, marks: dict[TaskId, float]
) -> None:
    for old, new in zip(before.tasks, after.tasks, strict=True):
        if old is not new and old.phase is not new.phase:
            _close_span(history, old, marks[old.id], after.now)
            marks[old.id] = after.now


def _close(history: RunHistory, state: RunState, marks: dict[TaskId, float]) -> None:
    """The last spans end where the run did, or where it is now."""
    history.state = state
    for task in state.tasks:
        _close_span(history, task, marks[task.id], history.ended_at)
        if task.phase in HOLDS_SLOT:
            history.tasks[task.id].seen_at = history.ended_at


def _close_span(history: RunHistory, task: TaskState, since: float, until: float) -> None:
    if until > since:
        history.tasks[task.id].spans.append(Span(task.phase, since, until))


def _note_event(history: RunHistory, state: RunState, event: Event) -> None:
    match event:
        case AgentStarted():
            _note_start(history.tasks[event.task], state.task(event.task), event)
            for gap in history.absences:
                gap.lived_through(event.task, event.attempt)
        case AgentExited():
            history.tasks[event.task].exited_at = event.exited_at
            if event.failure is not FailureKind.LOST:
                for gap in history.absences:
                    gap.ended(event.task, event.attempt, event.exited_at)
        case GateFinished():
            _note_gate(history, state, event.seconds)
        case WorkMerged(combined=()):
            history.merged.add(event.task)
        case MergeConflicted() | WorkMerged():
            history.merged.add(event.task)
            history.conflicted.add(event.task)
            history.met.update(
                frozenset({event.task, other})
                for other in event.against
                if other in history.tasks and other != event.task
            )
        case _:
            pass


def _note_gate(history: RunHistory, state: RunState, seconds: float) -> None:
    if state.rules.gate_batch == 1 and not state.rules.speculate:
        history.gate_seconds += seconds
    else:
        history.gate_seconds = max(history.gate_seconds, seconds)


def _note_start(past: TaskHistory, task: TaskState, event: AgentStarted) -> None:
    if past.last_started_at == event.started_at:
        return  # an adoption tells the same start again
    past.attempts += 1
    past.first_started_at = past.first_started_at or event.started_at
    past.last_started_at = event.started_at
    past.exited_at = None
    past.frozen_seconds = 0.0
    if task.dispatched_at is not None:
        past.latencies.append(max(0.0, event.started_at - task.dispatched_at))
