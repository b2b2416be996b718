"""Tasks that wait for others which they must not run beside: when that is news, and its story.

Of a hundred tasks that may all write the same files each waits for ninety-nine others in turn. That
is told once: an event and a conflict for each task and reason, and not one for each pair.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pex_tui.core.events.run_events import TaskHeld
from pex_tui.core.lifecycle.conflict_log import record
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import Conflict, ConflictKind, Decision
from pex_tui.core.model.exclusions import exclusion_reason
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import IN_FLIGHT
from pex_tui.core.model.predictions import predicted_at
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import Wait

_MOST_TOLD = 10  # of one wait; who comes after that is seen in the state, and no event of its own


def is_news(state: RunState, position: int, wait: Wait, on: Collection[str]) -> bool:
    """Whether a task that waits because of others is to be told of those that it waits for now.

    It is where one is in the way for a reason that was not told yet, or fewer of those told are.
    """
    if wait.told >= _MOST_TOLD or set(on) == set(wait.on):
        return False
    reasons = _reasons(state, position, on)
    return set(on) < set(wait.on) or not reasons <= _reasons(state, position, wait.on)


def neighbours(
    state: RunState, position: int, in_flight: Iterable[int], first: Iterable[int] = ()
) -> list[int]:
    """The tasks that one must not start beside: those in flight, and those that go `first`."""
    excluded = state.graph.excluded[position]
    found = [other for other in (*in_flight, *first) if other in excluded]
    if not found and state.sequential and not state.plan.tasks[position].is_read_only:
        found = [other for other in in_flight if not state.plan.tasks[other].is_read_only]
    return found


def at_work(state: RunState) -> tuple[int, ...]:
    """Return the positions of the tasks in flight."""
    return tuple(spot for spot, task in state.live() if task.phase in IN_FLIGHT)


def record_exclusion(draft: Draft, event: TaskHeld) -> None:
    """Tell of a collision that was foreseen and did not happen, once for each reason."""
    state = draft.state
    mine = [conflict for conflict in state.conflicts if event.task in conflict.tasks]
    for reason, others in _by_reason(state, event):
        new = [other for other in others if not _is_known(mine, event.task, other)]
        if not new or (_tells_once(state) and any(_is_told(one, event, reason) for one in mine)):
            continue
        for tasks in [new] if _tells_once(state) else [[other] for other in new]:
            record(
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
    """Those that the task waits for, in plan order, by the reason why it must not run beside."""
    excluded = state.graph.excluded[state.graph.index[event.task]]
    found: dict[str, list[TaskId]] = {}
    for position in sorted(state.graph.index[TaskId(other)] for other in event.on):
        reason = excluded.get(position)
        if reason:
            found.setdefault(reason, []).append(state.tasks[position].id)
    return list(found.items())


def _is_known(mine: Sequence[Conflict], task: TaskId, other: TaskId) -> bool:
    """Return whether a conflict of just these two is told already."""
    return any(set(one.tasks) == {task, other} for one in mine)


def _is_told(conflict: Conflict, event: TaskHeld, reason: str) -> bool:
    """Return whether it is the story of the task's waits for this reason."""
    return (
        conflict.tasks[0] == event.task
        and conflict.decision is Decision.SERIALISED
        and conflict.detail == reason
    )


def _reasons(state: RunState, position: int, others: Collection[str]) -> set[str]:
    excluded, index = state.graph.excluded[position], state.graph.index
    return {excluded.get(index[TaskId(other)], "") for other in others}


def _first_known(draft: Draft, first: TaskId, second: TaskId) -> dict[str, Any]:
    """When they were first kept apart: as planned, or once one had written more than was known."""
    state = draft.state
    at = predicted_at(state, first, second)
    left, right = (state.planned.tasks[state.graph.index[one]] for one in (first, second))
    if at is None and exclusion_reason(left, right, state.rules) is None:
        return {"overlapping_at": draft.now}
    return {"predicted_at": state.created_at}
