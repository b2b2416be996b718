"""Search for a short timetable: the best of a few list rules and samples of them, justified.

Justification (Valls, Ballestín & Quintanilla) shifts all tasks as late and then as early as
possible; neither makes a timetable longer. The samples' seed is fixed: the same workload gives the
same timetable.
"""

from collections.abc import Iterator, Sequence
from random import Random

from pex_tui.planning.scheduling.workload import (
    Timetable,
    Workload,
    generate_parallel,
    generate_serial,
    tails,
    topological_order,
)

EXCLUSION_LOAD_WEIGHT = 0.25
_SAMPLED_TASKS = 1_500  # tasks times samples, which keeps 200 tasks well below 50 ms
_SAMPLE_SPREAD = 0.3
_NEAR_ENOUGH = 1.001  # close enough to the bound: better estimates would pay more than more search
_JUSTIFIED_TASKS = 10_000  # tasks times shifts of one timetable


def lower_bound(work: Workload) -> float:
    """Return a lower bound of the makespan: the longest chain, or the fullest resource's work."""
    chain = max(tails(work), default=0.0)
    energy = [0.0] * len(work.capacities)
    for seconds, demand in zip(work.seconds, work.demands, strict=True):
        for resource, amount in demand:
            energy[resource] += seconds * amount
    shares = (used / capacity for used, capacity in zip(energy, work.capacities, strict=True))
    return max(chain, *shares, 0.0)


def best_timetable(work: Workload, urgency: Sequence[int]) -> Timetable:
    """Return the shortest timetable found; differing urgencies (smaller first) fix the order."""
    may_shift = len(set(urgency)) <= 1
    bound = lower_bound(work) * _NEAR_ENOUGH
    mirror = work.mirrored()
    best: Timetable | None = None
    for rule in _rules(work):
        keys = [(float(first), then) for first, then in zip(urgency, rule, strict=True)]
        found = generate_parallel(work, keys)
        if may_shift and found.makespan > bound:
            found = _justified(work, mirror, found, bound)
        if best is None or found.makespan < best.makespan:
            best = found
        if best.makespan <= bound or not may_shift:
            break
    return best or Timetable((), ())


def _rules(work: Workload) -> Iterator[list[float]]:
    """Yield priorities, smaller first: by b-level with conflict load, b-level, latest finish."""
    levels = tails(work)
    aware = [
        -level - EXCLUSION_LOAD_WEIGHT * sum(work.seconds[other] for other in rivals)
        for level, rivals in zip(levels, work.excluded, strict=True)
    ]
    yield aware
    if any(work.excluded):
        yield [-level for level in levels]
    yield [seconds - level for seconds, level in zip(work.seconds, levels, strict=True)]
    random = Random(0)  # noqa: S311 - samples orders, keeps no secret
    effort = len(levels) + sum(len(rivals) for rivals in work.excluded) // 16
    for _ in range(_SAMPLED_TASKS // (effort or 1)):
        yield [value * random.uniform(1 - _SAMPLE_SPREAD, 1 + _SAMPLE_SPREAD) for value in aware]


def _justified(work: Workload, mirror: Workload, found: Timetable, bound: float) -> Timetable:
    """Shift the timetable back and forth until it no longer shortens."""
    rank = {position: place for place, position in enumerate(topological_order(work.before))}
    best = current = found
    for _ in range(max(1, _JUSTIFIED_TASKS // (2 * len(work.seconds) or 1))):
        late = generate_serial(mirror, _latest_first(current, rank, -1))
        current = generate_serial(work, _latest_first(late, rank, 1))
        if current.makespan >= best.makespan:
            break
        best = current
        if best.makespan <= bound:
            break
    return best


def _latest_first(timetable: Timetable, rank: dict[int, int], direction: int) -> list[int]:
    finishes = timetable.finishes
    return sorted(
        range(len(finishes)), key=lambda position: (-finishes[position], direction * rank[position])
    )
