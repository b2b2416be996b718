"""What each conflict of a run cost: time stood still for it, and attempts that came to nothing."""

from collections.abc import Iterator, MutableMapping

from pex_tui.core.phases import Phase
from pex_tui.core.state import (
    Conflict,
    ConflictKind,
    Decision,
    RunState,
    StopCause,
    TaskState,
    WaitCause,
)

Costs = MutableMapping[int, float]
"""Seconds by the numbers of the conflicts; one that cost nothing known is not in it."""

_MADE_WAY = frozenset({Decision.PAUSED, Decision.SERIALISED})
_IN_VAIN = frozenset({Decision.RERUN, Decision.ABORTED, Decision.FAILED})


def stood_still(costs: Costs, state: RunState, seconds: float) -> None:
    """Book a stretch in which the state did not change: whoever waited in it, for its conflicts.

    A task that waits because of several at once divides the time among them.
    """
    if not seconds or not state.conflicts:
        return
    for task in state.tasks:
        causes = _waits_for(state, task)
        for conflict in causes:
            _add(costs, conflict, seconds / len(causes))


def decisions_cost(costs: Costs, before: RunState, after: RunState) -> None:
    """Book what a step's decisions made worthless, and waits that were noticed only by it."""
    if before.conflicts is not after.conflicts:
        for conflict in after.conflicts[len(before.conflicts) :]:
            if conflict.kind is ConflictKind.RESOURCE and conflict.seen_at and conflict.met_at:
                _add(costs, conflict, conflict.met_at - conflict.seen_at)
        for conflict in _newly_in_vain(before, after):
            _add(costs, conflict, _attempt_seconds(before.task(conflict.tasks[0])))
    for old, new in zip(before.tasks, after.tasks, strict=True):
        is_over = old.phase is Phase.CAPTURING and new.phase is not Phase.CAPTURING
        if is_over and old.stop is StopCause.YIELD and new.seed is None:
            for conflict in _last(after, new, _MADE_WAY):
                _add(costs, conflict, _attempt_seconds(old))


def _waits_for(state: RunState, task: TaskState) -> tuple[Conflict, ...]:
    """The conflicts that the task stands still for."""
    mine = [conflict for conflict in state.conflicts if task.id in conflict.tasks]
    if task.phase is Phase.CONFLICT:
        return tuple(one for one in mine if one.is_open and one.tasks[0] == task.id)
    if task.phase is Phase.PAUSED and task.yields_to is not None:
        return tuple(one for one in mine if _is_over(one, ConflictKind.WRITE, task.yields_to))
    if task.phase is Phase.BACKOFF and task.failure is None:
        return _last(state, task, frozenset({Decision.RERUN}))
    if task.phase is not Phase.READY or task.wait is None:
        return ()
    if task.wait.cause is WaitCause.RESOURCE:
        own = [one for one in mine if one.kind is ConflictKind.RESOURCE and one.tasks[0] == task.id]
        return tuple(own[-1:])
    if task.wait.cause is WaitCause.CONFLICT:
        return tuple(one for one in mine if _is_over(one, ConflictKind.WRITE, *task.wait.on))
    return ()


def _is_over(conflict: Conflict, kind: ConflictKind, *others: str) -> bool:
    return conflict.kind is kind and not set(conflict.tasks).isdisjoint(others)


def _newly_in_vain(before: RunState, after: RunState) -> Iterator[Conflict]:
    """Conflicts met or decided just now that a task's attempt was thrown away for."""
    known = {conflict.number: conflict for conflict in before.conflicts}
    for conflict in after.conflicts:
        was = known.get(conflict.number)
        is_news = was is None or was.met_at is None or was.is_open
        is_met = conflict.met_at is not None and conflict.kind is not ConflictKind.RESOURCE
        is_in_vain = is_news and is_met and conflict.decision in _IN_VAIN
        if is_in_vain and after.task(conflict.tasks[0]).seed is None:
            yield conflict


def _last(state: RunState, task: TaskState, decisions: frozenset[Decision]) -> tuple[Conflict, ...]:
    """The latest conflict in which the task gave way by one of the decisions, if there is one."""
    found = [
        one for one in state.conflicts if one.tasks[0] == task.id and one.decision in decisions
    ]
    return tuple(found[-1:])


def _attempt_seconds(task: TaskState) -> float:
    """How long the attempt worked; 0 where no process of it ran."""
    if task.started_at is None or task.exited_at is None:
        return 0.0
    return max(0.0, task.exited_at - task.started_at - task.paused_seconds)


def _add(costs: Costs, conflict: Conflict, seconds: float) -> None:
    costs[conflict.number] = costs.get(conflict.number, 0.0) + seconds
