"""Indices of tasks by status, maintained incrementally so that no step scans every task."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.model.phases import ACTIVE, TERMINAL, Phase
from pex_tui.core.model.plan import Plan, Priority, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.task_state import TaskState

_LIVE = ACTIVE - {Phase.READY}
_URGENCY = {priority: place for place, priority in enumerate(Priority)}
_BOOSTED = -1

DispatchOrder = tuple[float, int, float, float, int]


def urgency_of(task: TaskState, spec: TaskSpec) -> int:
    """Return the urgency; smaller is more urgent."""
    return _BOOSTED if task.boosted else _URGENCY[spec.priority]


def overdue_since(task: TaskState) -> float:
    """Return the time since which a ready task is overdue for a lock; infinite if it is not."""
    return task.wait.since if task.wait is not None and task.wait.is_overdue else math.inf


class Standings(Struct, frozen=True):
    """Positions of the tasks in `tasks`, whose graph is `graph`, by status.

    `live` tasks have started or are under way and have not ended, in plan order. `ready` tasks are
    in start order; `told` are those of them with a recorded wait, in plan order. `left` counts the
    tasks that have not ended, `held` those that a person paused. `touched` are the tasks that the
    last step changed, in plan order.
    """

    tasks: tuple[TaskState, ...]
    graph: PlanGraph
    live: tuple[int, ...]
    ready: tuple[int, ...]
    told: tuple[int, ...]
    left: int
    held: int
    touched: tuple[int, ...]

    @classmethod
    def build(cls, plan: Plan, tasks: tuple[TaskState, ...], graph: PlanGraph) -> "Standings":
        """Compute the standings from all tasks."""
        phases = [task.phase for task in tasks]
        ready = [position for position, phase in enumerate(phases) if phase is Phase.READY]
        ready.sort(key=lambda position: dispatch_order(plan, tasks, graph, position))
        return cls(
            tasks,
            graph,
            tuple(position for position, phase in enumerate(phases) if phase in _LIVE),
            tuple(ready),
            tuple(sorted(position for position in ready if tasks[position].wait is not None)),
            sum(phase not in TERMINAL for phase in phases),
            sum(task.held for task in tasks),
            tuple(range(len(tasks))),
        )

    def changed(
        self, plan: Plan, tasks: list[TaskState], position: int, after: TaskState
    ) -> "Standings":
        """Return the standings after one task's change; `tasks` is updated in place."""
        before = tasks[position]
        if not _has_moved(before, after):
            tasks[position] = after
            return self
        live, ready, told = self.live, self.ready, self.told
        if before.phase in _LIVE:
            live = _without(live, bisect_left(live, position))
        elif before.phase is Phase.READY:
            ready = _without(ready, self._place(ready, plan, tasks, position))
            if before.wait is not None:
                told = _without(told, bisect_left(told, position))
        tasks[position] = after
        if after.phase in _LIVE:
            live = _with(live, bisect_left(live, position), position)
        elif after.phase is Phase.READY:
            ready = _with(ready, self._place(ready, plan, tasks, position), position)
            if after.wait is not None:
                told = _with(told, bisect_left(told, position), position)
        ended = (after.phase in TERMINAL) - (before.phase in TERMINAL)
        held = self.held + after.held - before.held
        return replace(self, live=live, ready=ready, told=told, left=self.left - ended, held=held)

    def _place(
        self, ready: tuple[int, ...], plan: Plan, tasks: Sequence[TaskState], position: int
    ) -> int:
        """Return the position of the task in the start order, given its state in `tasks`."""
        order = partial(dispatch_order, plan, tasks, self.graph)
        return bisect_left(ready, order(position), key=order)


def dispatch_order(
    plan: Plan, tasks: Sequence[TaskState], graph: PlanGraph, position: int
) -> DispatchOrder:
    """Return the start order's sort key: overdue for a lock, urgency, rank, age, plan order."""
    task = tasks[position]
    urgency = urgency_of(task, plan.tasks[position])
    ready_at = task.ready_at or math.inf
    return overdue_since(task), urgency, -graph.ranks[position], ready_at, position


def _has_moved(before: TaskState, after: TaskState) -> bool:
    """Return whether the phase, the hold or the place among the ready tasks changed."""
    if before.phase is not after.phase or before.held is not after.held:
        return True
    return before.phase is Phase.READY and (
        before.wait is not after.wait
        or before.boosted is not after.boosted
        or before.ready_at != after.ready_at
    )


def _without(positions: tuple[int, ...], place: int) -> tuple[int, ...]:
    return positions[:place] + positions[place + 1 :]


def _with(positions: tuple[int, ...], place: int, position: int) -> tuple[int, ...]:
    return (*positions[:place], position, *positions[place:])
