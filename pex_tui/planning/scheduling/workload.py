"""A resource-constrained scheduling problem, with serial and parallel schedule generation.

Parallel generation goes through time and starts what fits, like the dispatcher; serial generation
goes through an order and places each task as early as it fits (Kolisch & Hartmann). Times are
seconds from the start. This module is independent of plans.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from heapq import heappop, heappush

from msgspec import Struct

Amounts = tuple[tuple[int, float], ...]  # (resource, amount)

_FIRST = (float("-inf"),)


class Workload(Struct, frozen=True):
    """Tasks by position: seconds, predecessors, exclusions, and resource demands.

    `before` must be acyclic, and no task may demand more than the capacities. Resource 0 is the
    slots: a task takes one, or none (a barrier).
    """

    seconds: tuple[float, ...]
    before: tuple[tuple[int, ...], ...]
    excluded: tuple[frozenset[int], ...]
    demands: tuple[Amounts, ...]
    capacities: tuple[float, ...]

    def mirrored(self) -> "Workload":
        """Return the same problem with time reversed."""
        return Workload(
            self.seconds, successors(self.before), self.excluded, self.demands, self.capacities
        )


class Timetable(Struct, frozen=True):
    """Start and finish times of the tasks."""

    starts: tuple[float, ...]
    finishes: tuple[float, ...]

    @property
    def makespan(self) -> float:
        """Return the time of the last finish."""
        return max(self.finishes, default=0.0)


def successors(before: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Return the arrows reversed."""
    after: list[list[int]] = [[] for _ in before]
    for position, earlier in enumerate(before):
        for other in earlier:
            after[other].append(position)
    return tuple(tuple(positions) for positions in after)


def topological_order(before: Sequence[tuple[int, ...]]) -> list[int]:
    """Return every task after its predecessors."""
    after = successors(before)
    missing = [len(earlier) for earlier in before]
    order = [position for position, count in enumerate(missing) if count == 0]
    for position in order:
        for other in after[position]:
            missing[other] -= 1
            if missing[other] == 0:
                order.append(other)
    return order


def tails(work: Workload) -> list[float]:
    """Return the longest chain from each task's start to the end: its b-level."""
    levels = [0.0] * len(work.seconds)
    for position in reversed(topological_order(work.before)):
        levels[position] += work.seconds[position]
        for other in work.before[position]:
            levels[other] = max(levels[other], levels[position])
    return levels


def generate_parallel(work: Workload, keys: Sequence[tuple[float, ...]]) -> Timetable:
    """Schedule in parallel: whenever a task ends, start what fits, smallest key first."""
    keys = [key if work.demands[p] else _FIRST for p, key in enumerate(keys)]
    count = len(work.seconds)
    after = successors(work.before)
    missing = [len(earlier) for earlier in work.before]
    left = list(work.capacities)
    barred = [0] * count  # number of running tasks that exclude each one
    starts, finishes = [0.0] * count, [0.0] * count
    ready = sorted((keys[p], p) for p in range(count) if missing[p] == 0)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        waiting = []
        for place, entry in enumerate(ready):
            position = entry[1]
            if left[0] < 1 and work.demands[position]:
                waiting += ready[place:]
                break
            if barred[position] or any(left[r] < amount for r, amount in work.demands[position]):
                waiting.append(entry)
                continue
            for resource, amount in work.demands[position]:
                left[resource] -= amount
            for other in work.excluded[position]:
                barred[other] += 1
            starts[position], finishes[position] = now, now + work.seconds[position]
            heappush(running, (finishes[position], position))
        ready = waiting
        now = running[0][0]
        while running and running[0][0] <= now:
            position = heappop(running)[1]
            for resource, amount in work.demands[position]:
                left[resource] += amount
            for other in work.excluded[position]:
                barred[other] -= 1
            for other in after[position]:
                missing[other] -= 1
                if missing[other] == 0:
                    insort(ready, (keys[other], other))
    return Timetable(tuple(starts), tuple(finishes))


def generate_serial(work: Workload, order: Sequence[int]) -> Timetable:
    """Schedule serially: each task in turn as early as it fits; `order` must respect `before`."""
    count = len(work.seconds)
    starts, finishes = [0.0] * count, [0.0] * count
    profile = _Profile(work.capacities)
    placed = bytearray(count)
    for position in order:
        start = max([finishes[other] for other in work.before[position]], default=0.0)
        seconds = work.seconds[position]
        if seconds > 0:
            rivals = [
                (starts[other], finishes[other])
                for other in work.excluded[position]
                if placed[other] and finishes[other] > start
            ]
            start = profile.place(start, seconds, work.demands[position], rivals)
        placed[position] = 1
        starts[position], finishes[position] = start, start + seconds
    return Timetable(tuple(starts), tuple(finishes))


class _Profile:
    """The use of each resource over time, as steps."""

    def __init__(self, capacities: tuple[float, ...]) -> None:
        self._capacities = capacities
        self._times = [0.0]
        self._taken = [[0.0] for _ in capacities]

    def place(
        self, earliest: float, seconds: float, demand: Amounts, rivals: list[tuple[float, float]]
    ) -> float:
        """Take the demand at the first moment from `earliest` on that is free throughout."""
        rivals.sort()
        start = earliest
        while True:
            clear = self._first_fit(_past(rivals, start, seconds), seconds, demand)
            if clear == start:
                break
            start = clear
        self._take(start, seconds, demand)
        return start

    def _first_fit(self, start: float, seconds: float, demand: Amounts) -> float:
        times = self._times
        limits = [
            (self._taken[resource], self._capacities[resource] - amount)
            for resource, amount in demand
        ]
        step = bisect_right(times, start) - 1
        last = len(times) - 1
        end = start + seconds
        while step <= last and times[step] < end:
            for taken, limit in limits:
                if taken[step] > limit:
                    start = times[step + 1]  # the last step is always empty
                    end = start + seconds
                    break
            step += 1
        return start

    def _take(self, start: float, seconds: float, demand: Amounts) -> None:
        first, after = self._step_at(start), self._step_at(start + seconds)
        for resource, amount in demand:
            taken = self._taken[resource]
            for step in range(first, after):
                taken[step] += amount

    def _step_at(self, moment: float) -> int:
        """Return the step that begins at the moment, split off if there is none."""
        step = bisect_left(self._times, moment)
        if step == len(self._times) or self._times[step] != moment:
            self._times.insert(step, moment)
            for taken in self._taken:
                taken.insert(step, taken[step - 1])
        return step


def _past(rivals: list[tuple[float, float]], start: float, seconds: float) -> float:
    """Return the first moment from `start` on at which no rival overlaps."""
    for begin, end in rivals:
        if begin < start + seconds and end > start:
            start = end
    return start
