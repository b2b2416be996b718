"""The wait-for graph of locks, leases and pauses among tasks at work, and its cycles.

The graph has every edge that can occur between holders: a waiting claim waits for the holders of
its locks; a task waits for its claims, for its leases, and for the task that it is paused for; a
claim waits for the claims of the commands that run under it. Whatever else a task waits for (needs,
stages, a slot, a neighbour, the merge queue) holds nothing while it waits, and a wait for a person
or the clock closes no cycle.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Literal

from pex_tui.core.model.ids import ClaimId, TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, Phase
from pex_tui.core.model.plan import LockMode, LockRequest
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.state import LockClaim, RunState


class WaitEdge(StrEnum):
    """The reason why one node waits for another."""

    LOCK = "lock"  # the other holds a lock that it claims
    CLAIM = "claim"  # a task ends only after the claims of its processes
    LEASE = "lease"  # the other holds the file that it wants to change
    OVERLAP = "overlap"  # it is paused until the other has landed


Node = tuple[Literal["task"], TaskId] | tuple[Literal["claim"], ClaimId]
Waits = Mapping[Node, Mapping[Node, WaitEdge]]
Holding = tuple[LockRequest, TaskId, ClaimId | None]


def holdings(state: RunState) -> tuple[Holding, ...]:
    """Return every held lock with its task and its claim (None for a lock of the plan)."""
    by_plan = [
        (lock, task.id, None)
        for position, task in state.live()
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


def blocking_holdings(holdings: tuple[Holding, ...], claim: LockClaim) -> Iterator[Holding]:
    """Yield the holdings that keep the claim from being granted; its enclosing claims never do."""
    for held in holdings:
        lock, task, by = held
        is_own = task == claim.task and (by is None or by in claim.within)
        if not is_own and any(excludes(lock, wanted) for wanted in claim.locks):
            yield held


def wait_graph(state: RunState) -> Waits:
    """Return what each task at work and each claim waits for, and why."""
    graph: dict[Node, dict[Node, WaitEdge]] = {}
    held = holdings(state)
    for claim in state.claims:
        edges = graph.setdefault(("claim", claim.claim), {})
        if claim.is_waiting:
            graph.setdefault(("task", claim.task), {})["claim", claim.claim] = WaitEdge.CLAIM
            for _, task, by in blocking_holdings(held, claim):
                edges[("task", task) if by is None else ("claim", by)] = WaitEdge.LOCK
            for outer in claim.within:
                graph.setdefault(("claim", outer), {})["claim", claim.claim] = WaitEdge.CLAIM
    if state.semantics >= Semantics.ONE_WAIT_GRAPH:
        _add_standstills(state, graph)
    return graph


def _add_standstills(state: RunState, graph: dict[Node, dict[Node, WaitEdge]]) -> None:
    for _, task in state.live():
        if task.phase not in {Phase.RUNNING, Phase.PAUSED}:
            continue
        edges: dict[Node, WaitEdge] = {
            ("task", asked.held_by): WaitEdge.LEASE
            for asked in task.permissions
            if asked.held_by is not None
        }
        if task.yields_to is not None and ("task", task.yields_to) not in edges:
            edges["task", task.yields_to] = WaitEdge.OVERLAP
        graph.setdefault(("task", task.id), {}).update(edges)
        if task.phase is Phase.PAUSED:  # with everything that runs in it
            for claim in state.claims:
                if claim.task == task.id and not claim.is_waiting:
                    graph.setdefault(("claim", claim.claim), {}).update(edges)


def find_cycle(waits: Waits) -> tuple[Node, ...]:
    """Return the nodes of a cycle, each of which waits for the next; empty if there is none."""
    done: set[Node] = set()
    for start in waits:
        if start in done:
            continue
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
                stack.append(iter(waits.get(step, ())))
    return ()


def is_waiting_for(waits: Waits, first: Node, last: Node) -> bool:
    """Return whether the first node waits for the last, directly or not."""
    seen: set[Node] = set()
    stack = [first]
    while stack:
        node = stack.pop()
        if node == last:
            return True
        if node not in seen:
            seen.add(node)
            stack.extend(waits.get(node, ()))
    return False


def excludes(one: LockRequest, other: LockRequest) -> bool:
    """Return whether the two requests exclude each other."""
    both_share = one.mode is LockMode.SHARED and other.mode is LockMode.SHARED
    return one.name == other.name and not both_share


def lock_names(claim: LockClaim) -> str:
    """Return the names of a claim's locks, for a person."""
    return ", ".join(dict.fromkeys(lock.name for lock in claim.locks))
