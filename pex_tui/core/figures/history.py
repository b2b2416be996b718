"""History of a run from its events: phases, attempts, waits, slots; the raw data of figures."""

import math
from collections.abc import Iterable

from msgspec import Struct, field

from pex_tui.core.events.landing_events import GateFinished, MergeConflicted, WorkMerged
from pex_tui.core.events.run_events import AgentExited, AgentStarted, Event
from pex_tui.core.figures.conflict_costs import ConflictCosts
from pex_tui.core.figures.time_accounting import (
    Absence,
    BusyTime,
    Stretch,
    TaskTime,
    absence,
    active_seconds,
    book_idle,
    book_time,
    book_wait,
)
from pex_tui.core.lifecycle.predictions import PredictionAccuracy, prediction_accuracy
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, Phase, RunStage
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import FailureKind, TaskState
from pex_tui.core.run_time import elapsed_seconds
from pex_tui.core.step import replayed


class PhaseSpan(Struct, frozen=True):
    """An interval of a task's life in one phase; absolute seconds."""

    phase: Phase
    begin: float
    end: float


class TaskHistory(TaskTime):
    """The history of one task, in seconds. `exited_at` is the last attempt's end in shim time.

    An attempt without a process does not count. `work_seconds` is the duration of the last attempt
    without the intervals in `off`: its pauses and questions, and time in which the whole run stood
    still.
    """

    work_seconds: float = 0.0
    attempts: int = 0
    first_started_at: float | None = None
    last_started_at: float | None = None
    exited_at: float | None = None
    seen_at: float | None = None  # last sign of life of a running attempt
    latencies: list[float] = field(default_factory=list)
    spans: list[PhaseSpan] = field(default_factory=list)

    @property
    def last_attempt(self) -> tuple[float, float] | None:
        """Return the start and end (or last sign of life) of the last attempt; None if unknown."""
        until = self.seen_at if self.exited_at is None else self.exited_at
        if self.last_started_at is None or until is None:
            return None
        return self.last_started_at, until

    def ran_beside(self, other: "TaskHistory") -> bool:
        """Return whether the last attempts of both overlapped in time."""
        if self.last_attempt is None or other.last_attempt is None:
            return False
        begins, ends = zip(self.last_attempt, other.last_attempt, strict=True)
        return max(begins) < min(ends)


class RunHistory(BusyTime):
    """The history of a whole run, in seconds; fields in `_at` are absolute.

    `ended_at` is the last moment before the run finished. `gates` are the runs of the gate.
    """

    state: RunState
    tasks: dict[TaskId, TaskHistory]
    began_at: float
    ended_at: float
    gates: list[Stretch] = field(default_factory=list)
    merged: set[TaskId] = field(default_factory=set)
    conflicting_tasks: set[TaskId] = field(default_factory=set)
    overlapping_pairs: set[frozenset[TaskId]] = field(default_factory=set)  # at work
    conflicting_pairs: set[frozenset[TaskId]] = field(default_factory=set)  # at landing
    costs: ConflictCosts = field(default_factory=ConflictCosts)
    absences: list[Absence] = field(default_factory=list)  # booked once all events have been read

    @property
    def prediction_accuracy(self) -> PredictionAccuracy:
        """Return the plan's predictions, compared with the run so far."""
        return prediction_accuracy(self.state, self.overlapping_pairs | self.conflicting_pairs)

    @property
    def makespan_seconds(self) -> float:
        """Return the seconds from the plan to the end, except while the whole run stood still."""
        return elapsed_seconds(self.state, self.ended_at)

    @property
    def gate_seconds(self) -> float:
        """Return the lower bound for the gate: its runs in sequence, or the longest if batched."""
        took = [active_seconds(begin, end, self.off) for begin, end in self.gates]
        rules = self.state.rules
        one_by_one = rules.gate_batch == 1 and not rules.speculate
        return sum(took) if one_by_one else max(took, default=0.0)


def read_history(events: Iterable[Event]) -> RunHistory:
    """Replay a run's events and measure them; raise ReplayError."""
    stream = replayed(events)
    first, state = next(stream)
    history = RunHistory(
        state=state,
        tasks={task.id: TaskHistory() for task in state.tasks},
        began_at=first.at,
        ended_at=first.at,
    )
    marks = {task.id: first.at for task in state.tasks}
    before = state
    for event, state in stream:
        _pass_time(history, before, state, event)
        _note_phases(history, before, state, marks)
        _note_overlaps(history, before, state)
        _note_event(history, state, event)
        before = state
    _close(history, state, marks)
    for gap in history.absences:
        gap.account(history, history.tasks)
    for past in history.tasks.values():
        if past.last_attempt is not None:
            past.work_seconds = active_seconds(*past.last_attempt, history.off, past.off)
    return history


def _pass_time(history: RunHistory, before: RunState, after: RunState, event: Event) -> None:
    """Book the time since the last event on the run's activity in it."""
    finished = before.stage is RunStage.FINISHED
    if finished and after.stage is RunStage.FINISHED:
        return
    since = history.ended_at
    elapsed = max(0.0, event.at - since)
    gap = absence(before, event, since)
    history.ended_at += elapsed
    if finished:
        book_idle(history, since, since + elapsed)
    elif gap is not None:
        history.absences.append(gap)
    else:
        book_time(history, before, since, elapsed)
        if before.stage is not RunStage.PAUSED:
            history.costs.book_wait(before, elapsed)


def _note_overlaps(history: RunHistory, before: RunState, after: RunState) -> None:
    history.costs.book_decisions(before, after)
    if after.overlaps is not before.overlaps:
        history.overlapping_pairs.update(frozenset(overlap.tasks) for overlap in after.overlaps)


def _note_phases(
    history: RunHistory, before: RunState, after: RunState, marks: dict[TaskId, float]
) -> None:
    for position in after.standings.touched:
        old, new = before.tasks[position], after.tasks[position]
        book_wait(history.tasks[old.id], old, history.clock)
        if old.phase is not new.phase:
            _close_span(history, old, marks[old.id], after.now)
            marks[old.id] = after.now
            if new.phase is Phase.CAPTURING and new.started_at is not None:
                history.tasks[new.id].exited_at = new.exited_at
        if _is_off(old) != _is_off(new):
            past = history.tasks[new.id]
            if _is_off(new):
                past.off.append((after.now, math.inf))
            else:
                past.off[-1] = (past.off[-1][0], after.now)


def _is_off(task: TaskState) -> bool:
    """Return whether the task's attempt is paused or waits for a person's answer."""
    return task.phase is Phase.PAUSED or bool(task.asks)


def _close(history: RunHistory, state: RunState, marks: dict[TaskId, float]) -> None:
    """Close the last spans at the end of the run, or at its latest event."""
    history.state = state
    for task in state.tasks:
        book_wait(history.tasks[task.id], task, history.clock)
        _close_span(history, task, marks[task.id], history.ended_at)
        if task.phase in HOLDS_SLOT and task.started_at is not None:
            history.tasks[task.id].seen_at = history.ended_at


def _close_span(history: RunHistory, task: TaskState, since: float, until: float) -> None:
    if until > since:
        history.tasks[task.id].spans.append(PhaseSpan(task.phase, since, until))


def _note_event(history: RunHistory, state: RunState, event: Event) -> None:
    match event:
        case AgentStarted():
            _note_start(history.tasks[event.task], state.task(event.task), event)
            for gap in history.absences:
                gap.lived_through(event.task, event.attempt)
        case AgentExited() if event.failure is not FailureKind.LOST:
            for gap in history.absences:
                gap.ended(event.task, event.attempt, event.exited_at)
        case GateFinished():
            began = max(history.began_at, event.at - event.seconds)
            history.gates.append((began, event.at))
        case WorkMerged(combined=()):
            history.merged.add(event.task)
        case MergeConflicted() | WorkMerged():
            history.merged.add(event.task)
            history.conflicting_tasks.add(event.task)
            history.conflicting_pairs.update(
                frozenset({event.task, other})
                for other in event.against
                if other in history.tasks and other != event.task
            )
        case _:
            pass


def _note_start(past: TaskHistory, task: TaskState, event: AgentStarted) -> None:
    if past.last_started_at == event.started_at:
        return  # an adoption reports the same start again
    past.attempts += 1
    past.first_started_at = past.first_started_at or event.started_at
    past.last_started_at = event.started_at
    past.exited_at = None
    if task.dispatched_at is not None:
        past.latencies.append(max(0.0, event.started_at - task.dispatched_at))
