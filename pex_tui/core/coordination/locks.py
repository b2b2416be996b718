"""Named locks that agents take while they work: fair queues, timeouts, deadlock detection.

A claim gets all of its locks or none. Claims are served by their task's urgency, then by arrival; a
claim that has waited longer than the lock timeout precedes all others, which prevents starvation.
Such precedence alone never blocks a claim that the overdue claim itself waits for, so that only
holders can deadlock. Claims of frozen tasks get nothing until these resume.
"""

from msgspec.structs import replace

from pex_tui.core.coordination.write_leases import stop_waiting_for
from pex_tui.core.events.actions import GrantLock, RefuseLock
from pex_tui.core.events.lock_events import LockEvent, LockReleased
from pex_tui.core.lifecycle.attempts import stop
from pex_tui.core.lifecycle.conflict_log import record_conflict, record_unpaused
from pex_tui.core.lifecycle.lock_graph import (
    Node,
    WaitEdge,
    Waits,
    blocking_holdings,
    excludes,
    find_cycle,
    holdings,
    is_waiting_for,
    lock_names,
    wait_graph,
)
from pex_tui.core.lifecycle.preemption import preemption_cost
from pex_tui.core.lifecycle.scheduler import urgency
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import ClaimId, TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, Phase
from pex_tui.core.model.state import LockClaim, RunState
from pex_tui.core.model.task_state import StopCause

_CAN_STOP = HOLDS_SLOT - {Phase.STOPPING}
RETURN_SECONDS = 15.0
"""Seconds that a claim survives its engine while its process reconnects."""


def apply_lock_event(draft: Draft, event: LockEvent) -> None:
    """Enqueue a claim, or remove it."""
    if isinstance(event, LockReleased):
        _remove(draft, event.claim)
        return
    known = next((one for one in draft.state.claims if one.claim == event.claim), None)
    task = draft.task(event.task)
    if known is not None:
        _change(draft, replace(known, absent_since=None))
        if not known.is_waiting:
            draft.act(GrantLock(known.claim))
    elif task.attempt != event.attempt or task.phase not in HOLDS_SLOT:
        draft.act(RefuseLock(event.claim, f"attempt {event.attempt} of {event.task} is over"))
    else:
        until = None if event.wait_seconds is None else draft.now + event.wait_seconds
        claim = LockClaim(
            event.claim, event.task, event.attempt, event.locks, event.within, draft.now, until
        )
        draft.set(claims=(*draft.state.claims, claim))


def update_locks(draft: Draft) -> None:
    """Drop obsolete claims, grant free locks, and break deadlocks."""
    state = draft.state
    if not state.claims and all(task.yields_to is None for _, task in state.live()):
        return
    _drop_ended(draft)
    _grant(draft)
    while closed := find_cycle(graph := wait_graph(draft.state)):
        if not (_let_go(draft, graph, closed) or _break(draft, closed)):
            return


def mark_claims_absent(draft: Draft) -> None:
    """Mark all claims as unconfirmed: their processes have to reconnect to the new engine."""
    claims = draft.state.claims
    draft.set(claims=tuple(replace(one, absent_since=draft.now) for one in claims))


def apply_lock_deadlines(draft: Draft) -> None:
    """Refuse timed-out claims, drop those that did not reconnect, and report long waits."""
    for claim in draft.state.claims:
        if _returns_until(claim) <= draft.now:
            _remove(draft, claim.claim)
        elif claim.is_waiting and claim.until is not None and claim.until <= draft.now:
            waited = round(claim.until - claim.asked_at, 1)
            by = _holders(draft, claim)
            whose = f": {', '.join(by)} had it" if by else ""
            told = f"{lock_names(claim)} was not free within {waited:g} s{whose}"
            draft.act(RefuseLock(claim.claim, told))
            _remove(draft, claim.claim)
        elif claim.is_waiting and not claim.is_overdue and _overdue_at(draft, claim) <= draft.now:
            _tell_long_wait(draft, claim)


def next_lock_deadline(state: RunState) -> float | None:
    """Return when `apply_lock_deadlines` has something to do, in absolute seconds."""
    times = [_returns_until(claim) for claim in state.claims if claim.absent_since is not None]
    for claim in state.claims:
        if claim.is_waiting and claim.until is not None:
            times.append(claim.until)
        if claim.is_waiting and not claim.is_overdue:
            times.append(claim.asked_at + state.rules.lock_timeout_seconds)
    return min(times, default=None)


def _drop_ended(draft: Draft) -> None:
    for claim in draft.state.claims:
        task = draft.task(claim.task)
        if task.attempt != claim.attempt or task.phase not in HOLDS_SLOT:
            if claim.is_waiting:
                draft.act(RefuseLock(claim.claim, f"{claim.task} has ended"))
            _remove(draft, claim.claim)


def _grant(draft: Draft) -> None:
    state = draft.state
    graph = wait_graph(state)
    owed: list[LockClaim] = []
    waiting = [one for one in state.claims if one.is_waiting and not _is_frozen(state, one)]
    for claim in sorted(waiting, key=lambda one: _order(state, one)):
        is_passed_over = any(
            _are_exclusive(claim, other)
            and not is_waiting_for(graph, ("claim", other.claim), ("claim", claim.claim))
            for other in owed
        )
        if is_passed_over or any(blocking_holdings(holdings(draft.state), claim)):
            owed.append(claim)
        else:
            _change(draft, replace(claim, granted_at=draft.now))
            draft.act(GrantLock(claim.claim))


def _order(state: RunState, claim: LockClaim) -> tuple[bool, int, float]:
    rank = 0 if claim.is_overdue else urgency(state, state.graph.index[claim.task])
    return not claim.is_overdue, rank, claim.asked_at


def _is_frozen(state: RunState, claim: LockClaim) -> bool:
    return state.task(claim.task).phase is Phase.PAUSED


def _are_exclusive(one: LockClaim, other: LockClaim) -> bool:
    return any(excludes(left, right) for left in one.locks for right in other.locks)


def _let_go(draft: Draft, graph: Waits, closed: tuple[Node, ...]) -> bool:
    """Break a wait cycle by resuming a paused task; work is safe, as both may meet at landing."""
    following = (*closed[1:], closed[0])
    freed = [
        (one, other)
        for one, other in zip(closed, following, strict=True)
        if graph[one][other] in {WaitEdge.OVERLAP, WaitEdge.LEASE}
    ]
    if not freed:
        return False
    (kind, name), (_, for_whom) = freed[0]
    task = _owner(draft.state, kind, name)
    other = TaskId(for_whom)
    draft.notice(f"{task} and {other} are deadlocked over a lock and a file: {task} continues.")
    record_unpaused(draft, task, other)
    stop_waiting_for(draft, task, other)
    return True


def _owner(state: RunState, kind: str, name: str) -> TaskId:
    if kind == "task":
        return TaskId(name)
    return next(claim.task for claim in state.claims if claim.claim == name)


def _break(draft: Draft, closed: tuple[Node, ...]) -> bool:
    """Roll back the task of the cycle with the least to lose; its work is kept, and it restarts."""
    state = draft.state
    claims = [
        claim for claim in state.claims if claim.is_waiting and ("claim", claim.claim) in closed
    ]
    tasks = tuple(dict.fromkeys(claim.task for claim in claims))
    stoppable = [task for task in tasks if state.task(task).phase in _CAN_STOP]
    if not stoppable:
        return False  # one of them is being stopped already
    victim = min(stoppable, key=lambda task: preemption_cost(state, task))
    told = "; ".join(f"{claim.task} waits for {lock_names(claim)}" for claim in claims)
    draft.notice(f"Deadlock: {told}. {victim} starts again, as it has the least to lose.")
    record_conflict(
        draft,
        ConflictKind.RESOURCE,
        (victim, *(task for task in tasks if task != victim)),
        Decision.RERUN,
        reason=f"{victim} has the least to lose",
        overlapping_at=min(claim.asked_at for claim in claims),
        conflicting_at=draft.now,
        detail=f"deadlock: {told}",
    )
    rollbacks = state.task(victim).rollbacks + 1
    stop(
        draft,
        draft.change(victim, reason="again, after a deadlock", rollbacks=rollbacks),
        StopCause.DEADLOCK,
    )
    for claim in draft.state.claims:
        if claim.task == victim and claim.is_waiting:
            draft.act(RefuseLock(claim.claim, f"{victim} is rolled back: it was in a deadlock"))
            _remove(draft, claim.claim)
    return True


def _tell_long_wait(draft: Draft, claim: LockClaim) -> None:
    """Give the claim precedence over all later ones, and report its long wait."""
    _change(draft, replace(claim, is_overdue=True))
    by = _holders(draft, claim)
    whose = f", which {', '.join(by)} holds" if by else ""
    waited = draft.now - claim.asked_at
    draft.notice(f"{claim.task} has waited {waited:.0f} s for {lock_names(claim)}{whose}.")
    record_conflict(
        draft,
        ConflictKind.RESOURCE,
        (claim.task, *by),
        Decision.SERIALISED,
        reason="it goes first from now on",
        overlapping_at=claim.asked_at,
        conflicting_at=draft.now,
        detail=f"waited longer than lock_timeout for {lock_names(claim)}",
    )


def _holders(draft: Draft, claim: LockClaim) -> tuple[TaskId, ...]:
    """Return the other tasks that hold locks of the claim."""
    held = [task for _, task, _ in blocking_holdings(holdings(draft.state), claim)]
    return tuple(task for task in dict.fromkeys(held) if task != claim.task)


def _returns_until(claim: LockClaim) -> float:
    return float("inf") if claim.absent_since is None else claim.absent_since + RETURN_SECONDS


def _overdue_at(draft: Draft, claim: LockClaim) -> float:
    return claim.asked_at + draft.state.rules.lock_timeout_seconds


def _change(draft: Draft, claim: LockClaim) -> None:
    others = draft.state.claims
    draft.set(claims=tuple(claim if one.claim == claim.claim else one for one in others))


def _remove(draft: Draft, name: ClaimId) -> None:
    draft.set(claims=tuple(one for one in draft.state.claims if one.claim != name))
