"""Search for a short timetable: a few list rules, then changes of the best one, all justified.

Justification (Valls, Ballestín & Quintanilla) shifts all tasks as late and then as early as
possible; neither makes a timetable longer. The changes' seed is fixed: the same workload gives the
same timetable.
"""

from collections.abc import Iterator, Sequence
from random import Random

from pex_tui.planning.scheduling.generation import Generator
from pex_tui.planning.scheduling.workload import Timetable, Workload, tails, topological_order

EXCLUSION_LOAD_WEIGHT = 0.25
_MOST_PLACED = 25_000  # tasks: what 50 ms allow
_EXCLUSIONS_A_TASK = 4  # that cost as much as to place a task
_TASKS_A_TASK = 2_000  # likewise: the longer a timetable, the longer the search for a place
_LEAST_CHANGE, _MOST_CHANGE = 0.05, 0.8  # of a task's place in the order, in lengths of the whole
_HOPELESS = 1.1  # times the best length: not worth a justification
_NEAR_ENOUGH = 1.001  # close enough to the bound: better estimates would pay more than more search


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
    search = _Search(work)
    for rule in _rules(work):
        keys = [(float(first), then) for first, then in zip(urgency, rule, strict=True)]
        search.offer(search.generator.parallel(keys), justify=may_shift)
        if search.is_over or not may_shift:
            return search.best
    while not search.is_over:
        search.change()
    return search.best


def _rules(work: Workload) -> Iterator[list[float]]:
    """Yield priorities, smaller first: by b-level with conflict load, b-level, latest finish."""
    levels = tails(work)
    yield [
        -level - EXCLUSION_LOAD_WEIGHT * sum(work.seconds[other] for other in rivals)
        for level, rivals in zip(levels, work.excluded, strict=True)
    ]
    if any(work.excluded):
        yield [-level for level in levels]
    yield [seconds - level for seconds, level in zip(work.seconds, levels, strict=True)]


class _Search:
    """The best timetable so far, and what is left of the effort."""

    def __init__(self, work: Workload) -> None:
        self.best = Timetable((), ())
        self.generator = Generator.of(work)
        self._mirror = self.generator.mirrored()
        self._work = work
        self._order = topological_order(work.before)
        self._backwards = self._order[::-1]
        self._bound = lower_bound(work) * _NEAR_ENOUGH
        self._random = Random(0)  # noqa: S311 - changes orders, keeps no secret
        self._left = _MOST_PLACED
        exclusions = sum(len(rivals) for rivals in work.excluded)
        count = len(work.seconds)
        self._cost = count + exclusions // _EXCLUSIONS_A_TASK + count**2 // _TASKS_A_TASK

    @property
    def is_over(self) -> bool:
        """True once the bound is reached or the effort is spent."""
        return self.best.makespan <= self._bound or self._left < 3 * self._cost

    def offer(self, found: Timetable, *, justify: bool) -> None:
        """Keep the timetable, shifted back and forth as long as it shortens, if it is the best."""
        self._left -= self._cost
        while justify and found.makespan > self._bound and self._left > 2 * self._cost:
            shifted = self._justified(found)
            if shifted.makespan >= found.makespan:
                break
            found = shifted
        if not self.best.starts or found.makespan <= self.best.makespan:
            self.best = found

    def change(self) -> None:
        """Try the best order with each task somewhat earlier or later."""
        best, random = self.best, self._random.random
        ratio = _MOST_CHANGE / _LEAST_CHANGE
        reach = best.makespan * _LEAST_CHANGE * ratio ** random()
        keys = [start + reach * random() for start in best.starts]
        before = self._work.before
        for spot in self._order:
            if before[spot]:
                keys[spot] = max(keys[spot], *[keys[other] for other in before[spot]])
        found = self.generator.serial(sorted(self._order, key=keys.__getitem__))
        self._left -= self._cost
        if found.makespan <= _HOPELESS * best.makespan:
            found = min(self._justified(found), found, key=lambda one: one.makespan)
        if found.makespan <= best.makespan:
            self.best = found

    def _justified(self, found: Timetable) -> Timetable:
        """Shift all tasks as late and then as early as possible."""
        self._left -= 2 * self._cost
        latest = [-end for end in found.finishes]
        late = self._mirror.serial(sorted(self._backwards, key=latest.__getitem__))
        earliest = [-end for end in late.finishes]
        return self.generator.serial(sorted(self._order, key=earliest.__getitem__))
