"""Dispatch: list scheduling by urgency and rank, within slots, exclusions and locks.

The order is (overdue for a lock, boosted or priority, rank, time of becoming ready, plan order). A
task does not start if it would prolong the wait of a candidate before it, so urgent tasks never
starve; candidates that a provider or the budget holds back hold back nobody. A slot that has just
become free is reserved for the milliseconds in which a reader's checkout is inspected, if the
reader's dependents precede the ready tasks: otherwise a long chain would queue behind its fillers.
"""

import math
from collections.abc import Iterator

from msgspec import Struct, field

from pex_tui.core.events.run_events import Event, TaskDispatched, TaskHeld
from pex_tui.core.formatting import size
from pex_tui.core.lifecycle.exclusion_waits import at_work, excluded_neighbours, is_new_wait
from pex_tui.core.lifecycle.lock_graph import excludes, holdings
from pex_tui.core.lifecycle.rate_limits import has_budget, limit_of, over_budget
from pex_tui.core.model.ids import LockName, SlotId
from pex_tui.core.model.memory import Pressure, needed_bytes
from pex_tui.core.model.phases import HOLDS_SLOT, SUCCEEDED, Phase, RunStage
from pex_tui.core.model.plan import LockRequest, Strategy
from pex_tui.core.model.standings import overdue_since, urgency_of
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState, WaitCause

_NOT_ITS_TURN = frozenset({WaitCause.LIMIT, WaitCause.BUDGET})
_Live = list[tuple[int, TaskState]]


class _Hold(Struct, frozen=True):
    """The reason why a candidate can't start."""

    cause: WaitCause
    on: tuple[str, ...]


class _Board(Struct):
    """Resources left by the candidates before this one."""

    state: RunState
    free: list[SlotId]
    busy: list[int] = field(default_factory=list)  # positions that exclude their neighbours
    locks: list[tuple[LockRequest, int]] = field(default_factory=list)  # held ones, by holder
    reserved: list[int] = field(default_factory=list)  # held-back candidates with precedence
    most_urgent: float = math.inf  # among those reserved
    coming: tuple[int, ...] = ()  # tasks that are ready as soon as a reader is inspected
    memory: list[int] = field(default_factory=list)  # bytes needed by each task in a slot
    short: float = math.inf  # the most urgent candidate that memory holds back; -inf: an overdue

    def owed_before(self, position: int) -> int:
        """Return how many free slots are reserved for tasks that precede this one."""
        if not self.coming:
            return 0
        order = self.state.dispatch_order(position)
        return sum(self.state.dispatch_order(other) < order for other in self.coming)

    def reserve(self, position: int) -> None:
        """Hold back a candidate that precedes less urgent ones."""
        self.reserved.append(position)
        self.most_urgent = min(self.most_urgent, urgency(self.state, position))

    def take(self, position: int) -> None:
        self.busy.append(position)
        self.locks += [(lock, position) for lock in self.state.plan.tasks[position].locks]
        self.memory.append(_needed(self.state, position))


def dispatch(state: RunState) -> tuple[Event, ...]:
    """Return the decisions for this moment: tasks to start, and newly held-back ready tasks."""
    if state.stage is not RunStage.RUNNING:
        return ()
    standings = state.standings
    if not standings.ready:
        return ()
    board = _board(state, state.live())
    decisions: list[Event] = []
    for position in _candidates(state, board):
        task = state.tasks[position]
        has_slot = len(board.free) > board.owed_before(position)
        hold = _model_hold(state, position) or (
            _hold(board, position) if has_slot else _Hold(WaitCause.SLOT, ())
        )
        if hold is None:
            slot = board.free.pop(0)
            board.take(position)
            attempt = max(task.attempt + 1, task.found)
            decisions.append(TaskDispatched(task.id, attempt, slot))
        else:
            if hold.cause not in _NOT_ITS_TURN:
                board.reserve(position)
            if _is_news(state, position, hold):
                decisions.append(TaskHeld(task.id, hold.cause, hold.on))
    return tuple(decisions)


def urgency(state: RunState, position: int) -> int:
    """Return the urgency; smaller is more urgent."""
    return urgency_of(state.tasks[position], state.plan.tasks[position])


def queue_order(state: RunState) -> tuple[int, ...]:
    """Return the positions of the ready tasks in the order of dispatch."""
    return tuple(spot for spot in state.standings.ready if not state.tasks[spot].held)


def _candidates(state: RunState, board: _Board) -> Iterator[int]:
    """Yield ready tasks in dispatch order, as long as a decision or a report is possible.

    Without a free slot, a task gets no report that it waits for one, unless another reason was
    reported before; limits on agents with a model are reported at any time.
    """
    standings = state.standings
    tells_all = bool(state.limits or has_budget(state.rules))
    for place, position in enumerate(standings.ready):
        if not (board.free or tells_all):
            told = set(standings.told)
            rest = standings.ready[place:] if told else ()
            yield from (spot for spot in rest if spot in told and not state.tasks[spot].held)
            return
        if not state.tasks[position].held:
            yield position


def _coming(state: RunState, live: _Live) -> tuple[int, ...]:
    """Return the tasks whose last need is a successful reader that is still being inspected."""
    graph = state.graph
    return tuple(
        dependent
        for position, task in live
        if task.phase is Phase.CAPTURING
        and task.failure is None
        and task.stop is None
        and state.plan.tasks[position].is_read_only
        for dependent in graph.dependents[position]
        if state.tasks[dependent].phase is Phase.WAITING
        and not state.tasks[dependent].held
        and all(
            need == position or state.tasks[need].phase in SUCCEEDED
            for need in graph.needs[dependent]
        )
    )


def _board(state: RunState, live: _Live) -> _Board:
    board = _Board(state, _free_slots(state, live), coming=_coming(state, live))
    board.busy += at_work(state)
    board.locks += [(lock, state.graph.index[task]) for lock, task, _ in holdings(state)]
    board.memory += [
        _needed(state, position) for position, task in live if task.phase in HOLDS_SLOT
    ]
    return board


def _free_slots(state: RunState, live: _Live) -> list[SlotId]:
    taken = {task.slot for _, task in live if task.phase in HOLDS_SLOT}
    capacity = 1 if state.plan.strategy is Strategy.SEQUENTIAL else state.capacity
    count = max(0, capacity - len(taken))
    free = [SlotId(number) for number in range(1, capacity + 1) if number not in taken]
    return free[:count]


def _hold(board: _Board, position: int) -> _Hold | None:
    return (
        _exclusion_hold(board, position)
        or _lock_hold(board, position)
        or _memory_hold(board, position)
    )


def _needed(state: RunState, position: int) -> int:
    return needed_bytes(state.tasks[position], state.plan.tasks[position], state.rules)


def _memory_hold(board: _Board, position: int) -> _Hold | None:
    """Return memory as the reason if the task's need does not fit; a task alone always starts.

    Less urgent tasks do not overtake it, and equally urgent ones only until it has been ready for
    as long as a lock's timeout.
    """
    state, memory = board.state, board.state.memory
    if memory is None or not board.memory:
        return None
    needed, mine = _needed(state, position), urgency(state, position)
    fits = sum(board.memory) + needed <= memory.budget_bytes
    if memory.pressure is Pressure.EASY and fits and mine <= board.short:
        return None
    since = state.tasks[position].ready_at or state.now
    overdue = since + state.rules.lock_timeout_seconds <= state.now
    board.short = -math.inf if overdue else min(board.short, mine)
    return _Hold(WaitCause.MEMORY, (size(needed),))


def _model_hold(state: RunState, position: int) -> _Hold | None:
    """Return the limit or budget that holds back an agent with a model."""
    spec = state.plan.tasks[position]
    if spec.brief is None:
        return None
    limit = limit_of(state, spec)
    if limit is not None:
        return _Hold(WaitCause.LIMIT, (limit.provider,))
    used_up = over_budget(state)
    return _Hold(WaitCause.BUDGET, (used_up,)) if used_up else None


def _exclusion_hold(board: _Board, position: int) -> _Hold | None:
    state, first = board.state, list[int]()
    mine = urgency(state, position)
    if board.most_urgent < mine and state.graph.excluded[position]:
        first = [other for other in board.reserved if urgency(state, other) < mine]
    against = excluded_neighbours(state, position, board.busy, first)
    return _Hold(WaitCause.EXCLUDED, _names(state, against)) if against else None


def _lock_hold(board: _Board, position: int) -> _Hold | None:
    """Return a lock that is not free; locks are taken all or none, which avoids deadlock."""
    state = board.state
    for request in state.plan.tasks[position].locks:
        holders = [other for lock, other in board.locks if excludes(lock, request)]
        if holders:
            return _Hold(WaitCause.RESOURCE, (request.name, *_names(state, holders)))
        before = [
            other for other in board.reserved if _goes_first(state, other, position, request.name)
        ]
        before += _claimants(state, request, _overdue_since(state, position))
        if before:
            return _Hold(WaitCause.RESOURCE, (request.name, *_names(state, before)))
    return None


def _claimants(state: RunState, request: LockRequest, since: float) -> list[int]:
    """Return the tasks at work that claim the lock; they precede tasks about to start."""
    return [
        state.graph.index[claim.task]
        for claim in state.claims
        if claim.is_waiting
        and claim.asked_at < since
        and state.task(claim.task).phase is not Phase.PAUSED
        and any(excludes(lock, request) for lock in claim.locks)
    ]


def _goes_first(state: RunState, other: int, position: int, lock: LockName) -> bool:
    """Return whether another candidate precedes this one for the lock: overdue, or more urgent."""
    if all(request.name != lock for request in state.plan.tasks[other].locks):
        return False
    since = _overdue_since(state, position)
    return _overdue_since(state, other) < since or (
        since == math.inf and urgency(state, other) < urgency(state, position)
    )


def _overdue_since(state: RunState, position: int) -> float:
    return overdue_since(state.tasks[position])


def _names(state: RunState, positions: list[int]) -> tuple[str, ...]:
    return tuple(state.tasks[position].id for position in sorted(set(positions)))


def _is_news(state: RunState, position: int, hold: _Hold) -> bool:
    """Return whether the hold is worth an event; waiting for a slot alone is not."""
    wait = state.tasks[position].wait
    if wait is None:
        return hold.cause is not WaitCause.SLOT
    if wait.cause is hold.cause is WaitCause.EXCLUDED:
        return is_new_wait(state, position, wait, hold.on)
    return (wait.cause, wait.on) != (hold.cause, hold.on)
