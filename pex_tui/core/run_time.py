"""The run's clock: time that counts, time that waits for a person, and idle time.

A run stands still while only a person can continue it: the whole run is paused, or everything left
has an open conflict, was paused by hand, asks for a permission, has no budget, or waits for such a
task. That time does not count for the run. Time between two engines counts for as long as an
attempt was alive in it.
"""

from typing import Any

from msgspec.structs import replace

from pex_tui.core.events.landing_events import GateFinished
from pex_tui.core.events.run_events import AgentExited, AgentStarted, Event, RunAdopted
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.liveness import waits_for_a_person
from pex_tui.core.model.phases import HOLDS_SLOT, RunStage
from pex_tui.core.model.state import Gap, RunState
from pex_tui.core.model.task_state import FailureKind


def elapsed_seconds(state: RunState, now: float) -> float:
    """Return the run's makespan up to `now`, in absolute seconds, without time it stood still."""
    stops = (state.finished_at, state.paused_at, state.person_since)
    until = min([now, *(at for at in stops if at is not None)])
    off = state.paused_seconds + state.person_seconds + state.idle_seconds
    return max(0.0, until - state.created_at - off)


def shown_at(state: RunState, now: float) -> float:
    """Return the moment that a view shows, in absolute seconds: at most the end of the run."""
    return now if state.finished_at is None else min(now, state.finished_at)


def account_time(draft: Draft, before: RunState, event: Event) -> None:
    """Book the time since the previous event, and the gate's, after a step."""
    changes: dict[str, Any] = {}
    if before.person_since is not None and isinstance(event, RunAdopted):
        changes = _end_wait(before, before.now)
    if isinstance(event, RunAdopted) and before.stage not in {RunStage.PAUSED, RunStage.FINISHED}:
        changes["idle_seconds"] = before.idle_seconds + draft.now - before.now
        is_asked = before.person_since is not None
        gap = Gap(before.now, draft.now, before.now, for_person=is_asked)
        changes["gaps"] = (*before.gaps, gap)
    elif before.finished_at is not None and draft.state.finished_at is None:
        changes["idle_seconds"] = before.idle_seconds + draft.now - before.finished_at
    elif before.gaps and isinstance(event, AgentStarted | AgentExited):
        changes = _was_alive(before, event)
    if isinstance(event, GateFinished) and event.passed:
        changes["gate_seconds"] = event.seconds
    draft.set(**changes)
    state = draft.state
    waits = state.stage in {RunStage.RUNNING, RunStage.DRAINING} and waits_for_a_person(state)
    if waits and state.person_since is None:
        draft.set(person_since=draft.now)
    elif not waits and state.person_since is not None:
        draft.set(**_end_wait(state, draft.now))


def _end_wait(state: RunState, until: float) -> dict[str, Any]:
    waited = 0.0 if state.person_since is None else max(0.0, until - state.person_since)
    return {"person_since": None, "person_seconds": state.person_seconds + waited}


def _was_alive(state: RunState, event: AgentStarted | AgentExited) -> dict[str, Any]:
    """Return the changes to the gaps between engines that an attempt's event implies."""
    task = state.task(event.task)
    is_known = task.attempt == event.attempt and task.phase in HOLDS_SLOT
    if not is_known or task.dispatched_at is None:
        return {}
    if isinstance(event, AgentExited) and event.failure is FailureKind.LOST:
        return {}
    until = event.exited_at if isinstance(event, AgentExited) else state.now
    gaps, lived, person = [], 0.0, 0.0
    for gap in state.gaps:
        seen = max(gap.seen, min(until, gap.end)) if task.dispatched_at <= gap.begin else gap.seen
        lived += seen - gap.seen
        person += seen - gap.seen if gap.for_person else 0.0
        gaps.append(replace(gap, seen=seen))
    return {
        "gaps": tuple(gaps),
        "idle_seconds": state.idle_seconds - lived,
        "person_seconds": state.person_seconds + person,
    }
