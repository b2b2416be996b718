"""The graph of a plan, computed once: indices, edges, exclusions and ranks.

A task's rank is its b-level (the longest chain of estimates from the task to the end) plus a
quarter of its conflict load (the estimates of all tasks that must not run in parallel with it).
Starting the highest rank first is critical-path list scheduling (Kolisch & Hartmann), aware of
conflicts.
"""

from collections.abc import Mapping

from msgspec import Struct

from pex_tui.core.model.exclusions import (
    exclusion_reason,
    pairs_to_compare,
    predicted_exclusion_reason,
    with_chance,
)
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan, Strategy
from pex_tui.core.model.run_rules import RunRules

EXCLUSION_LOAD_WEIGHT = 0.25


class PlanGraph(Struct, frozen=True, eq=False):
    """The graph over positions in `plan.tasks`; equal plans and rules give equal graphs.

    `order` is topological. All tasks of earlier `stages` must have ended before a task starts,
    whatever their outcome; a plan without stages has one.
    """

    index: Mapping[TaskId, int]
    order: tuple[int, ...]
    needs: tuple[tuple[int, ...], ...]
    dependents: tuple[tuple[int, ...], ...]
    stages: tuple[int, ...]
    excluded: tuple[Mapping[int, str], ...]  # neighbours that must not run in parallel, and why
    blevels: tuple[float, ...]
    ranks: tuple[float, ...]

    @classmethod
    def build(cls, plan: Plan, rules: RunRules) -> "PlanGraph":
        """Return the graph of an acyclic plan."""
        index = {spec.id: position for position, spec in enumerate(plan.tasks)}
        needs = tuple(tuple(index[need] for need in spec.needs) for spec in plan.tasks)
        dependents = _reversed(needs)
        excluded = _exclusions(plan, rules, index)
        order = _topological(needs, dependents)
        blevels = _blevels(plan, order, dependents)
        loads = [
            sum(plan.tasks[other].estimate_seconds for other in neighbours)
            for neighbours in excluded
        ]
        ranks = tuple(
            level + EXCLUSION_LOAD_WEIGHT * load for level, load in zip(blevels, loads, strict=True)
        )
        return cls(
            index,
            tuple(order),
            needs,
            dependents,
            _stages(plan, order, needs),
            excluded,
            blevels,
            ranks,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlanGraph) and self.needs == other.needs

    def __hash__(self) -> int:
        return hash(self.needs)

    def excluded_pairs(self) -> tuple[tuple[int, int, str], ...]:
        """Return each excluded pair once, with the reason."""
        return tuple(
            (first, second, reason)
            for first, neighbours in enumerate(self.excluded)
            for second, reason in neighbours.items()
            if first < second
        )


def _reversed(needs: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    dependents: list[list[int]] = [[] for _ in needs]
    for position, needed in enumerate(needs):
        for need in needed:
            dependents[need].append(position)
    return tuple(tuple(positions) for positions in dependents)


def _exclusions(
    plan: Plan, rules: RunRules, index: Mapping[TaskId, int]
) -> tuple[Mapping[int, str], ...]:
    """Return each task's excluded neighbours, with the reasons."""
    excluded: list[dict[int, str]] = [{} for _ in plan.tasks]
    for first, second in pairs_to_compare(plan.tasks, rules):
        reason = exclusion_reason(plan.tasks[first], plan.tasks[second], rules)
        if reason is not None:
            excluded[first][second] = excluded[second][first] = reason
    for predicted in plan.collisions:
        first, second = index[predicted.first], index[predicted.second]
        known = excluded[first].get(second)
        if known is None:
            reason = predicted_exclusion_reason(
                predicted, plan.tasks[first], plan.tasks[second], rules
            )
        else:
            reason = with_chance(known, predicted)
        if reason is not None:
            excluded[first][second] = excluded[second][first] = reason
    return tuple(excluded)


def _topological(
    needs: tuple[tuple[int, ...], ...], dependents: tuple[tuple[int, ...], ...]
) -> list[int]:
    """Return the positions in topological order (Kahn's algorithm)."""
    missing = [len(needed) for needed in needs]
    order = [position for position, count in enumerate(missing) if count == 0]
    for position in order:
        for dependent in dependents[position]:
            missing[dependent] -= 1
            if missing[dependent] == 0:
                order.append(dependent)
    return order


def _blevels(
    plan: Plan, order: list[int], dependents: tuple[tuple[int, ...], ...]
) -> tuple[float, ...]:
    levels = [0.0] * len(plan.tasks)
    for position in reversed(order):
        after = max((levels[other] for other in dependents[position]), default=0.0)
        levels[position] = plan.tasks[position].estimate_seconds + after
    return tuple(levels)


def _stages(plan: Plan, order: list[int], needs: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Return each task's stage, never earlier than its needs', which would deadlock."""
    if plan.strategy is not Strategy.STAGES:
        return tuple(1 for _ in plan.tasks)
    stages = [spec.stage or 1 for spec in plan.tasks]
    for position in order:
        stages[position] = max([stages[position], *(stages[need] for need in needs[position])])
    return tuple(stages)
