"""Expected waits between tasks that no need orders, with the reasons."""

from msgspec import Struct

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.precedence import Precedence
from pex_tui.planning.scheduling.schedule import Schedule, lock_pairs


class Exclusion(Struct, frozen=True):
    """Two unordered tasks, by position, that must not run in parallel."""

    first: int
    second: int
    reason: str


class Turn(Struct, frozen=True):
    """A task that the schedule starts after another only because they exclude each other."""

    waits: TaskId
    on: TaskId
    reason: str


def exclusions(plan: Plan, graph: PlanGraph) -> tuple[Exclusion, ...]:
    """Return the unordered pairs that exclude each other, in plan order, without disabled tasks."""
    precedence = Precedence(graph)
    reasons = {(first, second): reason for first, second, reason in graph.excluded_pairs()}
    for first, second, lock in lock_pairs(plan):
        reasons.setdefault((first, second), f"both hold the lock {lock}")
    return tuple(
        Exclusion(first, second, reason)
        for (first, second), reason in sorted(reasons.items())
        if plan.tasks[first].enabled
        and plan.tasks[second].enabled
        and not precedence.orders(first, second)
    )


def turns(plan: Plan, pairs: tuple[Exclusion, ...], schedule: Schedule) -> tuple[Turn, ...]:
    """Return, for each task and reason, the last task it waits for in the schedule."""
    last: dict[tuple[int, str], int] = {}
    for pair in pairs:
        earlier, later = sorted(
            (pair.first, pair.second), key=lambda position: (schedule.starts[position], position)
        )
        key = (later, pair.reason)
        known = last.get(key, earlier)
        last[key] = max(known, earlier, key=lambda position: schedule.finishes[position])
    ids = [spec.id for spec in plan.tasks]
    ordered = sorted(last.items(), key=lambda entry: (schedule.starts[entry[0][0]], entry[0]))
    return tuple(Turn(ids[later], ids[on], reason) for (later, reason), on in ordered)
