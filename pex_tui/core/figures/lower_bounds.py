"""Lower bounds of the makespan from observed durations, in seconds.

`works` are the tasks' durations by their positions in the plan.
"""

import math
from collections.abc import Mapping, Sequence

from pex_tui.core.figures.time_accounting import SlotStretch
from pex_tui.core.model.plan import LockMode, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph


def critical_path(graph: PlanGraph, works: Sequence[float]) -> float:
    """Return T∞: the longest chain of needs."""
    ends = [0.0] * len(works)
    for position in graph.order:
        before = max((ends[need] for need in graph.needs[position]), default=0.0)
        ends[position] = before + works[position]
    return max(ends, default=0.0)


def slot_seconds(slots: Sequence[SlotStretch], within: float = math.inf) -> float:
    """Return ∫m(t)dt: the capacity of the slots in the first `within` seconds."""
    carried, left = 0.0, within
    for stretch in sorted(slots, key=lambda one: one.begin):
        seconds = min(stretch.seconds, left)
        carried += stretch.count * seconds
        left -= seconds
    return carried


def seconds_to_carry(work: float, slots: Sequence[SlotStretch]) -> float:
    """Return T₁/m: the time in which the slots can process all of the work."""
    passed, left = 0.0, work
    for stretch in sorted(slots, key=lambda one: one.begin):
        if stretch.count * stretch.seconds >= left:
            return passed + left / stretch.count if left > 0 else passed
        left -= stretch.count * stretch.seconds
        passed += stretch.seconds
    return passed


def busiest_lock(tasks: Sequence[TaskSpec], works: Sequence[float]) -> float:
    """Return the longest that a named lock is held, exclusive holders in sequence.

    Shared holders run in parallel, but never with an exclusive one.
    """
    alone: dict[str, float] = {}
    shared: dict[str, float] = {}
    for spec, work in zip(tasks, works, strict=True):
        for request in spec.locks:
            if request.mode is LockMode.EXCLUSIVE:
                alone[request.name] = alone.get(request.name, 0.0) + work
            else:
                shared[request.name] = max(shared.get(request.name, 0.0), work)
    held = (alone.get(name, 0.0) + shared.get(name, 0.0) for name in alone.keys() | shared.keys())
    return max(held, default=0.0)


def heaviest_clique(excluded: Sequence[Mapping[int, str]], works: Sequence[float]) -> float:
    """Return the most work found among tasks of which no two may run in parallel.

    Finding the heaviest clique is NP-hard. This search is greedy, starting at each task without a
    clique, heaviest first: never above the true bound, and near it where overlaps come from shared
    files.
    """
    heaviest = 0.0
    covered: set[int] = set()
    for start in sorted(range(len(works)), key=lambda position: -works[position]):
        if start not in covered:
            clique = _clique_from(start, excluded, works)
            covered.update(clique)
            heaviest = max(heaviest, sum(works[member] for member in clique))
    return heaviest


def _clique_from(
    start: int, excluded: Sequence[Mapping[int, str]], works: Sequence[float]
) -> list[int]:
    clique = [start]
    candidates = sorted(excluded[start], key=lambda position: -works[position])
    while candidates:
        member, *rest = candidates
        clique.append(member)
        candidates = [other for other in rest if other in excluded[member]]
    return clique
