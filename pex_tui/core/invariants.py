"""Invariants of every state of every run; tests check them after each step."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from pex_tui.core.lifecycle.lock_graph import excludes, find_cycle, holdings, wait_graph
from pex_tui.core.model.phases import (
    HOLDS_SLOT,
    IN_FLIGHT,
    IN_MERGE_QUEUE,
    SUCCEEDED,
    TERMINAL,
    Phase,
    RunStage,
)
from pex_tui.core.model.standings import Standings
from pex_tui.core.model.state import RunState

_BEGUN = IN_FLIGHT | {Phase.CONFLICT, Phase.LANDED, Phase.DONE}


def violations(state: RunState) -> tuple[str, ...]:
    """Return each violated invariant in words; empty for a valid state."""
    return tuple(
        text
        for check in (_slots, _exclusions, _locks, _circles, _queue, _graph, _finished, _standings)
        for text in check(state)
    )


def _slots(state: RunState) -> Iterator[str]:
    slots = Counter(task.slot for task in state.tasks if task.phase in HOLDS_SLOT)
    for slot, count in slots.items():
        if slot is None:
            yield f"{count} live tasks hold no slot"
        elif count > 1:
            yield f"slot {slot} is held {count} times"
    for task in state.tasks:
        if task.slot is not None and task.phase not in HOLDS_SLOT:
            yield f"task {task.id} is {task.phase} and holds slot {task.slot}"


def _exclusions(state: RunState) -> Iterator[str]:
    for first, second, reason in state.graph.excluded_pairs():
        left, right = state.tasks[first], state.tasks[second]
        both_work = left.phase in HOLDS_SLOT and right.phase in HOLDS_SLOT
        if both_work and frozenset({left.id, right.id}) not in state.caught:
            yield f"{left.id} and {right.id} run in parallel: {reason}"


def _locks(state: RunState) -> Iterator[str]:
    held = holdings(state)
    for (lock, task, _), (other_lock, other, _) in combinations(held, 2):
        if task != other and excludes(lock, other_lock):
            yield f"lock {lock.name} is held by {task} and by {other}"
    for claim in state.claims:
        owner = state.task(claim.task)
        if owner.phase not in HOLDS_SLOT or owner.attempt != claim.attempt:
            yield f"{claim.task} claims {claim.locks} and is {owner.phase}"


def _circles(state: RunState) -> Iterator[str]:
    closed = find_cycle(wait_graph(state))
    stopping = {task.id for task in state.tasks if task.phase is Phase.STOPPING}
    on_their_way_out = {
        *(("task", name) for name in stopping),
        *(("claim", claim.claim) for claim in state.claims if claim.task in stopping),
    }
    if closed and on_their_way_out.isdisjoint(closed):
        yield f"{closed} form a wait cycle"


def _queue(state: RunState) -> Iterator[str]:
    queued = [task.id for task in state.tasks if task.phase in IN_MERGE_QUEUE]
    if Counter(queued) != Counter(state.landing):
        yield f"the merge queue {state.landing} is not the queued tasks {queued}"
    in_flight = [task.id for task in state.tasks if task.phase is Phase.LANDING]
    if set(state.landing[: len(in_flight)]) != set(in_flight):
        yield f"{in_flight} land, the queue is {state.landing}"
    for task in state.tasks:
        if (task.phase is Phase.LANDED) != (task.landed is not None):
            yield f"task {task.id} is {task.phase} with landed commit {task.landed}"
        if (task.landing_stage is not None) != (task.phase is Phase.LANDING):
            yield f"task {task.id} is {task.phase} at landing stage {task.landing_stage}"


def _graph(state: RunState) -> Iterator[str]:
    for position, task in enumerate(state.tasks):
        for need in state.graph.needs[position]:
            if task.phase in _BEGUN and state.tasks[need].phase not in SUCCEEDED:
                yield f"{task.id} is {task.phase} before {state.tasks[need].id} has succeeded"
    for conflict in state.open_conflicts:
        if state.task(conflict.tasks[0]).phase not in {Phase.CONFLICT, Phase.ABORTED}:
            yield f"conflict {conflict.number} is open, its task is not in conflict"


def _finished(state: RunState) -> Iterator[str]:
    if state.stage is not RunStage.FINISHED:
        return
    if state.outcome is None or state.exit_code is None:
        yield "the run has finished without an outcome"
    for task in state.tasks:
        is_put_off = state.killed and task.retry_at is not None  # git refused; `resume` tries again
        live = task.phase in HOLDS_SLOT or (task.phase is Phase.CAPTURING and not is_put_off)
        if live or (task.phase not in TERMINAL and state.exit_code == 0):
            yield f"the run has finished and {task.id} is {task.phase}"


def _standings(state: RunState) -> Iterator[str]:
    fresh = Standings.build(state.plan, state.tasks, state.graph)
    for name in ("live", "ready", "told", "left", "held"):
        kept, found = getattr(state.standings, name), getattr(fresh, name)
        if kept != found:
            yield f"{name} are kept as {kept} and are {found}"
