"""The run as a pure function: `step(state, event) -> (state, actions)`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args

from msgspec.structs import replace

from pex_tui.core.adoption import apply_run_adopted
from pex_tui.core.consequences import apply_consequences, apply_deadlines
from pex_tui.core.coordination.agent_messages import apply_talk_event
from pex_tui.core.coordination.locks import apply_lock_event
from pex_tui.core.coordination.memory import apply_memory_event, record_memory_wait
from pex_tui.core.coordination.overlaps import apply_overlap_event
from pex_tui.core.events.actions import Action
from pex_tui.core.events.agent_events import TalkEvent
from pex_tui.core.events.landing_events import BranchMoved, LandingEvent
from pex_tui.core.events.lock_events import LockEvent
from pex_tui.core.events.memory_events import MemoryEvent
from pex_tui.core.events.overlap_events import OverlapEvent
from pex_tui.core.events.rollback_events import RollbackEvent
from pex_tui.core.events.run_events import (
    AttemptEvent,
    AttemptFound,
    ConflictDecided,
    Event,
    Noticed,
    RunAdopted,
    RunFinished,
    RunLanded,
    RunLandRefused,
    RunPlanned,
    RunRequest,
    TaskDispatched,
    TaskHeld,
    TaskRequest,
    TimePassed,
)
from pex_tui.core.landing.bring_to_branch import apply_run_land_refused, apply_run_landed
from pex_tui.core.landing.rollback import apply_rollback_event
from pex_tui.core.landing.transitions import apply_conflict_decided, apply_landing_event
from pex_tui.core.lifecycle.attempts import apply_attempt_event, apply_task_dispatched
from pex_tui.core.lifecycle.conflict_log import record_conflict
from pex_tui.core.lifecycle.exclusion_waits import record_exclusion
from pex_tui.core.lifecycle.step_draft import Draft, IllegalTransition
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.phases import SUCCEEDED, Phase, RunStage
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.semantics import ReplayError
from pex_tui.core.model.state import Outcome, RunState
from pex_tui.core.model.task_state import TaskState, Wait, WaitCause
from pex_tui.core.recovered_attempts import apply_attempt_found
from pex_tui.core.run_time import account_time
from pex_tui.core.user_requests import apply_run_request, apply_task_request

Handler = Callable[[Draft, Any], None]


def begin(event: Event) -> RunState:
    """Return the state after the first event, which must be RunPlanned."""
    if not isinstance(event, RunPlanned):
        raise TypeError(f"a run starts with RunPlanned, not with {type(event).__name__}")
    graph = PlanGraph.build(event.plan, event.rules)
    state = RunState(
        run=event.run,
        plan=event.plan,
        planned=event.plan,
        rules=event.rules,
        graph=graph,
        base=event.base,
        branch=event.branch,
        target=event.target,
        created_at=event.at,
        seed=event.seed,
        capacity=event.plan.slots or event.rules.slots,
        tasks=tuple(TaskState(spec.id) for spec in event.plan.tasks),
        tip=event.base,
        semantics=event.semantics,
        sandbox=event.sandbox,
        guards=event.guards,
        notices=event.notices,
        now=event.at,
        seq=1,
    )
    draft = Draft(state, event.at)
    _record_broken_cycles(draft)
    draft.changed.extend(task.id for task in state.tasks)
    apply_consequences(draft)
    return draft.state


def step(state: RunState, event: Event) -> tuple[RunState, tuple[Action, ...]]:
    """Apply one event and return the next state with the actions it asks for.

    Late news and obsolete requests only count as seen. Raises IllegalTransition, leaving the state
    unchanged, for an event that contradicts the table of phases.
    """
    draft = Draft(state, max(state.now, event.at))
    HANDLERS[type(event)](draft, event)
    apply_consequences(draft)
    account_time(draft, state, event)
    draft.set(now=draft.now, seq=state.seq + 1)
    return draft.state, tuple(draft.actions)


_CONTRADICTIONS = (IllegalTransition, LookupError, ValueError, AssertionError, TypeError)


def replayed(events: Iterable[Event]) -> Iterator[tuple[Event, RunState]]:
    """Yield each recorded event of a run with the state after it.

    Raises ReplayError if the events contradict this version's semantics: the first is not
    RunPlanned, a step is impossible, or a recorded landing or success does not happen.
    """
    state: RunState | None = None
    for event in events:
        state = follow(state, event)
        yield event, state


def follow(state: RunState | None, event: Event) -> RunState:
    """Return the state after the next recorded event (None before the first); raise ReplayError."""
    number = 1 if state is None else state.seq + 1
    try:
        after = begin(event) if state is None else step(state, event)[0]
    except _CONTRADICTIONS as error:
        raise ReplayError(f"event {number} ({type(event).__name__}): {error}") from error
    if _contradicts(after, event):
        raise ReplayError(f"event {number} ({type(event).__name__}) contradicts the state here")
    return after


def replay(events: Iterable[Event]) -> RunState:
    """Return the state after all events of a run; raise ReplayError."""
    state: RunState | None = None
    for _, after in replayed(events):
        state = after
    if state is None:
        raise ReplayError("there are no events")
    return state


def _contradicts(after: RunState, event: Event) -> bool:
    """Return whether a recorded, irreversible outcome did not happen in the state."""
    match event:
        case BranchMoved():
            return after.task(event.task).landed is None
        case RunFinished(outcome=Outcome.OK):
            return any(task.phase not in SUCCEEDED for task in after.tasks)
        case _:
            return False


def _apply_run_finished(draft: Draft, event: RunFinished) -> None:
    draft.set(
        stage=RunStage.FINISHED,
        outcome=event.outcome,
        exit_code=event.exit_code,
        finished_at=draft.now,
    )


def _apply_task_held(draft: Draft, event: TaskHeld) -> None:
    task = draft.task(event.task)
    if task.phase is not Phase.READY:
        return
    wait = Wait(event.cause, event.on, draft.now)
    if task.wait is not None and task.wait.cause is event.cause:
        wait = replace(task.wait, on=event.on, told=task.wait.told + 1)
    draft.change(event.task, wait=wait)
    if event.cause is WaitCause.EXCLUDED:
        record_exclusion(draft, event)
    elif event.cause is WaitCause.MEMORY:
        record_memory_wait(draft, event.task)


def _record_broken_cycles(draft: Draft) -> None:
    for task_id, need in draft.state.plan.dropped_needs:
        record_conflict(
            draft,
            ConflictKind.CYCLE,
            (task_id, need),
            Decision.DROPPED_NEED,
            reason="weakest need of a cycle (break_cycles is on)",
            predicted_at=draft.now,
            detail=f"{task_id} no longer waits for {need}",
        )


def _apply_run_planned(_draft: Draft, _event: RunPlanned) -> None:
    raise TypeError("RunPlanned can only be the first event of a run")


def _apply_time_passed(draft: Draft, _event: TimePassed) -> None:
    apply_deadlines(draft)


def _apply_noticed(draft: Draft, event: Noticed) -> None:
    draft.notice(event.text)


def _each(group: Any, handler: Callable[[Draft, Any], None]) -> dict[type[Event], Handler]:
    """Return the handler for every event of a group."""
    return dict.fromkeys(get_args(group), handler)


HANDLERS: Mapping[type[Event], Handler] = {
    RunPlanned: _apply_run_planned,
    RunAdopted: apply_run_adopted,
    RunLanded: apply_run_landed,
    RunLandRefused: apply_run_land_refused,
    RunFinished: _apply_run_finished,
    TaskDispatched: apply_task_dispatched,
    TaskHeld: _apply_task_held,
    AttemptFound: apply_attempt_found,
    ConflictDecided: apply_conflict_decided,
    TimePassed: _apply_time_passed,
    Noticed: _apply_noticed,
    **_each(RunRequest, apply_run_request),
    **_each(TaskRequest, apply_task_request),
    **_each(AttemptEvent, apply_attempt_event),
    **_each(LandingEvent, apply_landing_event),
    **_each(OverlapEvent, apply_overlap_event),
    **_each(LockEvent, apply_lock_event),
    **_each(MemoryEvent, apply_memory_event),
    **_each(TalkEvent, apply_talk_event),
    **_each(RollbackEvent, apply_rollback_event),
}
"""Handlers by the type of event; each applies it to a draft of the next state."""
