"""Who waits for whom among the claims of locks, and whether that can ever end.

Whatever is held is given back by itself unless what runs under it waits too: a claim's command, or
the task of a lock that the plan gave. So only waiting claims are nodes of the graph.
"""

from collections.abc import Iterator, Mapping

from pex_tui.core.ids import ClaimId, TaskId
from pex_tui.core.phases import HOLDS_SLOT
from pex_tui.core.plan import LockMode, LockRequest
from pex_tui.core.state import LockClaim, RunState

Waits = Mapping[ClaimId, tuple[ClaimId, ...]]
Holding = tuple[LockRequest, TaskId, ClaimId | None]


def holdings(state: RunState) -> tuple[Holding, ...]:
    """Every lock that is held: by which task, and by which claim (None for the plan's own)."""
    by_plan = [
        (lock, task.id, None)
        for position, task in state.active()
        if task.phase in HOLDS_SLOT
        for lock in state.plan.tasks[position].locks
    ]
    by_claim = [
        (lock, claim.task, claim.claim)
        for claim in state.claims
        if not claim.is_waiting
        for lock in claim.locks
    ]
    return (*by_plan, *by_claim)


def in_the_way(holdings: tuple[Holding, ...], claim: LockClaim) -> Iterator[Holding]:
    """What is held and keeps the claim from being granted; what it runs within never does."""
    for held in holdings:
        lock, task, by = held
        is_own = task == claim.task and (by is None or by in claim.within)
        if not is_own and any(excludes(lock, wanted) for wanted in claim.locks):
            yield held


def waits(state: RunState) -> Waits:
    """For each waiting claim the waiting claims that have to end first."""
    waiting = [claim for claim in state.claims if claim.is_waiting]
    found = holdings(state)
    return {
        claim.claim: tuple(
            dict.fromkeys(
                other.claim
                for _, task, by in in_the_way(found, claim)
                for other in waiting
                if (other.task == task if by is None else by in other.within)
            )
        )
        for claim in waiting
    }


def circle(waits: Waits) -> tuple[ClaimId, ...]:
    """Claims of which each waits for the next, and the last for the first; else none."""
    done: set[ClaimId] = set()
    for start in waits:
        path = [start]
        stack = [iter(waits[start])]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                done.add(path.pop())
            elif step in path:
                return tuple(path[path.index(step) :])
            elif step not in done:
                path.append(step)
                stack.append(iter(waits[step]))
    return ()


def waits_for(waits: Waits, first: ClaimId, last: ClaimId) -> bool:
    """Whether the first waits for the last, directly or not."""
    seen: set[ClaimId] = set()
    stack = [first]
    while stack:
        claim = stack.pop()
        if claim == last:
            return True
        if claim not in seen:
            seen.add(claim)
            stack.extend(waits.get(claim, ()))
    return False


def excludes(one: LockRequest, other: LockRequest) -> bool:
    """Whether the two can't be held at the same time."""
    both_share = one.mode is LockMode.SHARED and other.mode is LockMode.SHARED
    return one.name == other.name and not both_share


def names(claim: LockClaim) -> str:
    """The locks of a claim, for a person."""
    return ", ".join(dict.fromkeys(lock.name for lock in claim.locks))
