"""Collisions that the plan foresaw, and how many of them would have been none."""

from pex_tui.core.globs import any_overlap
from pex_tui.core.graph import PlanGraph
from pex_tui.core.phases import SUCCEEDED
from pex_tui.core.plan import Plan
from pex_tui.core.precedence import Precedence
from pex_tui.core.state import RunState

Pair = tuple[int, int]
"""Two tasks by their positions in the plan, the earlier one first."""


def foreseen(plan: Plan, graph: PlanGraph) -> list[Pair]:
    """Pairs kept apart because their writes overlap, where no need orders them anyway."""
    precedence = Precedence(graph)
    return [
        (first, second)
        for first, second, _ in graph.exclusive_pairs()
        if plan.tasks[first].enabled
        and plan.tasks[second].enabled
        and not precedence.orders(first, second)
        and _writes_overlap(plan, first, second)
    ]


def false_alarms(state: RunState, pairs: list[Pair]) -> int:
    """How many of the pairs both ended well and changed no file in common."""
    ended = [
        (state.tasks[first], state.tasks[second])
        for first, second in pairs
        if {state.tasks[first].phase, state.tasks[second].phase} <= SUCCEEDED
    ]
    return sum(not set(left.files) & set(right.files) for left, right in ended)


def _writes_overlap(plan: Plan, first: int, second: int) -> bool:
    left, right = plan.tasks[first], plan.tasks[second]
    if any({pair.first, pair.second} == {left.id, right.id} for pair in plan.collisions):
        return True
    both = any_overlap(left.writes or left.predicted_writes, right.writes or right.predicted_writes)
    return both is not None
