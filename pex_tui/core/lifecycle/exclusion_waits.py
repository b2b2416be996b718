"""Waits of tasks for others that they must not run in parallel with, and their record.

Each of a hundred tasks that may all write the same files waits for ninety-nine others in turn. This
is one event and one conflict per task and reason, not one per pair.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pex_tui.core.events.run_events import TaskHeld
from pex_tui.core.lifecycle.conflict_log import record_conflict
from pex_tui.core.lifecycle.predictions import predicted_at
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import Conflict, ConflictKind, Decision
from pex_tui.core.model.exclusions import exclusion_reason
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import IN_FLIGHT
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import Wait

_MOST_TOLD = 10  # recorded blockers of one wait; later ones are only in the state


def is_new_wait(state: RunState, position: int, wait: Wait, on: Collection[str]) -> bool:
    """Return whether the current blockers of a waiting task are worth an event.

    They are if one blocks for a new reason, or if fewer of the recorded ones remain.
    """
    if wait.told >= _MOST_TOLD or set(on) == set(wait.on):
        return False
    reasons = _reasons(state, position, on)
    return set(on) < set(wait.on) or not reasons <= _reasons(state, position, wait.on)


def excluded_neighbours(
    state: RunState, position: int, in_flight: Iterable[int], first: Iterable[int] = ()
) -> list[int]:
    """Return the excluded neighbours in flight, and those of `first`, which precede the task."""
    excluded = state.graph.excluded[position]
    found = [other for other in (*in_flight, *first) if other in excluded]
    if not found and state.sequential and not state.plan.tasks[position].is_read_only:
        found = [other for other in in_flight if not state.plan.tasks[other].is_read_only]
    return found


def at_work(state: RunState) -> tuple[int, ...]:
    """Return the positions of the tasks in flight."""
    return tuple(spot for spot, task in state.live() if task.phase in IN_FLIGHT)


def record_exclusion(draft: Draft, event: TaskHeld) -> None:
    """Record a predicted conflict that was avoided, once for each reason."""
    state = draft.state
    mine = [conflict for conflict in state.conflicts if event.task in conflict.tasks]
    for reason, others in _by_reason(state, event):
        new = [other for other in others if not _is_known(mine, event.task, other)]
        if not new or (_tells_once(state) and any(_is_told(one, event, reason) for one in mine)):
            continue
        for tasks in [new] if _tells_once(state) else [[other] for other in new]:
            record_conflict(
                draft,
                ConflictKind.WRITE,
                (event.task, *tasks),
                Decision.SERIALISED,
                reason=reason,
                **_first_known(draft, event.task, tasks[0]),
                detail=reason,
            )


def _tells_once(state: RunState) -> bool:
    return state.semantics >= Semantics.ONE_STORY_A_REASON


def _by_reason(state: RunState, event: TaskHeld) -> list[tuple[str, list[TaskId]]]:
    """Return the tasks that block the task, in plan order, by reason."""
    excluded = state.graph.excluded[state.graph.index[event.task]]
    found: dict[str, list[TaskId]] = {}
    for position in sorted(state.graph.index[TaskId(other)] for other in event.on):
        reason = excluded.get(position)
        if reason:
            found.setdefault(reason, []).append(state.tasks[position].id)
    return list(found.items())


def _is_known(mine: Sequence[Conflict], task: TaskId, other: TaskId) -> bool:
    """Return whether a conflict of just these two is recorded already."""
    return any(set(one.tasks) == {task, other} for one in mine)


def _is_told(conflict: Conflict, event: TaskHeld, reason: str) -> bool:
    """Return whether the conflict records the task's waits for this reason."""
    return (
        conflict.tasks[0] == event.task
        and conflict.decision is Decision.SERIALISED
        and conflict.detail == reason
    )


def _reasons(state: RunState, position: int, others: Collection[str]) -> set[str]:
    excluded, index = state.graph.excluded[position], state.graph.index
    return {excluded.get(index[TaskId(other)], "") for other in others}


def _first_known(draft: Draft, first: TaskId, second: TaskId) -> dict[str, Any]:
    """Return when the pair was first known to be excluded: at planning, or by observed writes."""
    state = draft.state
    at = predicted_at(state, first, second)
    left, right = (state.planned.tasks[state.graph.index[one]] for one in (first, second))
    if at is None and exclusion_reason(left, right, state.rules) is None:
        return {"overlapping_at": draft.now}
    return {"predicted_at": state.created_at}
