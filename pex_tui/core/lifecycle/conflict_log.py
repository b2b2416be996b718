"""The record of a run's conflicts: their stages, and each step with its author and reason."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from pex_tui.core.lifecycle.predictions import predicted_at
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import Conflict, ConflictKind, ConflictStep, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import LandingStage
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState

PEX = "pex"
_ABOUT_TO_LAND = frozenset({LandingStage.PASSED, LandingStage.MOVING})


def record_conflict(
    draft: Draft,
    kind: ConflictKind,
    tasks: tuple[TaskId, ...],
    decision: Decision | None,
    *,
    by: str = PEX,
    reason: str = "",
    **facts: Any,
) -> None:
    """Add a conflict; one with a decision is pex's own decision unless `by` names another."""
    conflicts = draft.state.conflicts
    number = 1 + (conflicts[-1].number if conflicts else 0)  # numbers rise with the position
    opened = Conflict(number, kind, tasks, **facts)
    draft.set(conflicts=(*conflicts, _with_step(draft, opened, decision, by, reason)))


def record_landing_conflict(
    draft: Draft,
    tasks: tuple[TaskId, ...],
    decision: Decision | None,
    *,
    reason: str,
    conflicting_at: float,
    by: str = PEX,
    **facts: Any,
) -> None:
    """Record a conflict at landing between the first task and the others, which have landed.

    If two of them overlapped or were kept apart before, that conflict is continued, not
    doubled.
    """
    begun = [one for one in draft.state.conflicts if _leads_to(one, tasks)]
    if not begun:
        record_conflict(
            draft,
            ConflictKind.WRITE,
            tasks,
            decision,
            reason=reason,
            predicted_at=_earliest(predicted_at(draft.state, tasks[0], one) for one in tasks[1:]),
            conflicting_at=conflicting_at,
            by=by,
            **facts,
        )
        return
    whole = replace(
        begun[0],
        tasks=tasks,
        predicted_at=_earliest(one.predicted_at for one in begun),
        overlapping_at=_earliest(one.overlapping_at for one in begun),
        conflicting_at=conflicting_at,
        steps=tuple(sorted((step for one in begun for step in one.steps), key=_when)),
        **facts,
    )
    conflicting = _with_step(draft, whole, decision, by, reason)
    draft.set(
        conflicts=tuple(
            conflicting if one is begun[0] else one
            for one in draft.state.conflicts
            if one is begun[0] or one not in begun
        )
    )


def record_semantic_conflict(
    draft: Draft, task: TaskState, decision: Decision, reason: str
) -> None:
    """Record a semantic conflict: git could merge, but the gate is red on the merge.

    Its other side is what landed since the attempt's start. If nothing did, the fault is the task's
    own, and an earlier suspicion is withdrawn. A base that is red as well proves nothing.
    """
    state = draft.state
    if state.base_gate_red:
        return
    if task.tip != task.start_commit:
        record_conflict(
            draft,
            ConflictKind.SEMANTIC,
            (task.id, *_landed_since(state, task)),
            decision,
            reason=reason,
            conflicting_at=draft.now,
            tip=task.tip,
            detail=task.failure.detail if task.failure else "the gate failed",
        )
        return
    own = "on its own change as well: the fault is its own"
    draft.set(
        conflicts=tuple(
            _with_step(draft, one, decision, PEX, f"the gate is red {own}")
            if one.kind is ConflictKind.SEMANTIC and one.tasks[0] == task.id
            else one
            for one in state.conflicts
        )
    )


def close_conflicts(
    draft: Draft, task_id: TaskId, decision: Decision, by: str, reason: str = ""
) -> None:
    """Record the decision in the task's open conflicts."""
    draft.set(
        conflicts=tuple(
            _with_step(draft, conflict, decision, by, reason)
            if conflict.is_open and conflict.tasks[0] == task_id
            else conflict
            for conflict in draft.state.conflicts
        )
    )


def record_restart_after(draft: Draft, task_id: TaskId, other: TaskId) -> None:
    """Record that the task, paused for the other, starts again after it."""
    reason = f"{other} has landed: {task_id} starts again on top of that"
    draft.set(
        conflicts=tuple(
            _with_step(draft, conflict, Decision.SERIALISED, PEX, reason)
            if conflict.decision is Decision.PAUSED and conflict.tasks == (task_id, other)
            else conflict
            for conflict in draft.state.conflicts
        )
    )


def record_unpaused(draft: Draft, task_id: TaskId, other: TaskId) -> None:
    """Record that the task is no longer paused for the other, although the two may conflict."""
    reason = f"{task_id} continues: it and {other} would have deadlocked"
    draft.set(
        conflicts=tuple(
            _with_step(draft, conflict, Decision.WARNED, PEX, reason)
            if conflict.decision is Decision.PAUSED and conflict.tasks == (task_id, other)
            else conflict
            for conflict in draft.state.conflicts
        )
    )


def _with_step(
    draft: Draft, conflict: Conflict, decision: Decision | None, by: str, reason: str
) -> Conflict:
    step = ConflictStep(draft.now, decision, by, reason)
    return replace(
        conflict,
        decision=decision,
        resolved_by=by if decision else "",
        resolved_at=draft.now if decision else None,
        steps=(*conflict.steps, step),
    )


def _when(step: ConflictStep) -> float:
    return step.at


def _earliest(times: Iterable[float | None]) -> float | None:
    return min((at for at in times if at is not None), default=None)


def _landed_since(state: RunState, task: TaskState) -> tuple[TaskId, ...]:
    """Return the tasks that landed after the commit that the attempt started from."""
    ends = [one.ended_at for one in state.tasks if one.landed and one.landed == task.start_commit]
    since = ends[0] if ends and ends[0] is not None else state.created_at
    return tuple(
        one.id
        for one in state.tasks
        if one.landing_stage in _ABOUT_TO_LAND
        or (one.landed and one.landed != task.start_commit and (one.ended_at or since) >= since)
    )


def _leads_to(conflict: Conflict, tasks: tuple[TaskId, ...]) -> bool:
    """Return whether the conflict is an earlier stage of the one now conflicting."""
    return (
        conflict.kind is ConflictKind.WRITE
        and conflict.conflicting_at is None
        and tasks[0] in conflict.tasks
        and not set(conflict.tasks).isdisjoint(tasks[1:])
    )
