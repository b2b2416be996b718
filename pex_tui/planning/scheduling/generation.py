"""Serial and parallel schedule generation (Kolisch & Hartmann).

Parallel generation goes through time and starts what fits, like the dispatcher; serial generation
goes through an order and places each task as early as it fits.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from heapq import heappop, heappush

from msgspec import Struct

from pex_tui.planning.scheduling.packed_demands import PackedDemands, pack
from pex_tui.planning.scheduling.workload import Timetable, Workload, successors

_FIRST = (float("-inf"),)


class Generator(Struct, frozen=True):
    """Generates timetables of one workload; `after` are the successors of each task."""

    work: Workload
    after: tuple[tuple[int, ...], ...]
    packed: PackedDemands

    @classmethod
    def of(cls, work: Workload) -> "Generator":
        """Return the generator of a workload."""
        return cls(work, successors(work.before), pack(work.demands, work.capacities))

    def mirrored(self) -> "Generator":
        """Return the generator of the same problem with time reversed."""
        work = self.work
        back = Workload(work.seconds, self.after, work.excluded, work.demands, work.capacities)
        return Generator(back, work.before, self.packed)

    def parallel(self, keys: Sequence[tuple[float, ...]]) -> Timetable:
        """Whenever a task ends, start what fits, smallest key first."""
        work, demands, too_much = self.work, self.packed.demands, self.packed.too_much
        keys = [key if work.demands[spot] else _FIRST for spot, key in enumerate(keys)]
        count, taken = len(work.seconds), self.packed.free
        missing = [len(earlier) for earlier in work.before]
        barred = [0] * count  # number of running tasks that exclude each one
        starts, finishes = [0.0] * count, [0.0] * count
        ready = sorted((keys[spot], spot) for spot in range(count) if missing[spot] == 0)
        running: list[tuple[float, int]] = []
        now = 0.0
        while ready or running:
            waiting = []
            for place, entry in enumerate(ready):
                spot = entry[1]
                if (taken + self.packed.slot) & too_much and work.demands[spot]:
                    waiting += ready[place:]
                    break
                if barred[spot] or (taken + demands[spot]) & too_much:
                    waiting.append(entry)
                    continue
                taken += demands[spot]
                for other in work.excluded[spot]:
                    barred[other] += 1
                starts[spot], finishes[spot] = now, now + work.seconds[spot]
                heappush(running, (finishes[spot], spot))
            ready = waiting
            now = running[0][0]
            while running and running[0][0] <= now:
                spot = heappop(running)[1]
                taken -= demands[spot]
                for other in work.excluded[spot]:
                    barred[other] -= 1
                for other in self.after[spot]:
                    missing[other] -= 1
                    if missing[other] == 0:
                        insort(ready, (keys[other], other))
        return Timetable(tuple(starts), tuple(finishes))

    def serial(self, order: Sequence[int]) -> Timetable:
        """Place each task in turn as early as it fits; `order` must respect the predecessors."""
        work, demands = self.work, self.packed.demands
        count = len(work.seconds)
        starts, finishes = [0.0] * count, [0.0] * count
        profile = _Profile(self.packed)
        placed = bytearray(count)
        for spot in order:
            start = max([finishes[other] for other in work.before[spot]], default=0.0)
            seconds = work.seconds[spot]
            if seconds > 0:
                rivals = [
                    (starts[other], finishes[other])
                    for other in work.excluded[spot]
                    if placed[other] and finishes[other] > start
                ]
                start = profile.place(start, seconds, demands[spot], sorted(rivals))
            placed[spot] = 1
            starts[spot], finishes[spot] = start, start + seconds
        return Timetable(tuple(starts), tuple(finishes))


class _Profile:
    """The use of all resources over time, as steps."""

    def __init__(self, packed: PackedDemands) -> None:
        self._too_much = packed.too_much
        self._times = [0.0]
        self._taken = [packed.free]

    def place(
        self, earliest: float, seconds: float, demand: int, rivals: list[tuple[float, float]]
    ) -> float:
        """Take the demand at the first moment from `earliest` on that is free throughout."""
        start = self._first_fit(_past(rivals, earliest, seconds), seconds, demand)
        while (clear := _past(rivals, start, seconds)) != start:
            start = self._first_fit(clear, seconds, demand)
        taken = self._taken
        for step in range(self._step_at(start), self._step_at(start + seconds)):
            taken[step] += demand
        return start

    def _first_fit(self, start: float, seconds: float, demand: int) -> float:
        times, taken, too_much = self._times, self._taken, self._too_much
        step, end = bisect_right(times, start) - 1, start + seconds
        count = len(times)
        while step < count and times[step] < end:
            if (taken[step] + demand) & too_much:
                start = times[step + 1]  # the last step is always empty
                end = start + seconds
            step += 1
        return start

    def _step_at(self, moment: float) -> int:
        """Return the step that begins at the moment, split off if there is none."""
        step = bisect_left(self._times, moment)
        if step == len(self._times) or self._times[step] != moment:
            self._times.insert(step, moment)
            self._taken.insert(step, self._taken[step - 1])
        return step


def _past(rivals: list[tuple[float, float]], start: float, seconds: float) -> float:
    """Return the first moment from `start` on at which no rival overlaps."""
    for begin, end in rivals:
        if begin < start + seconds and end > start:
            start = end
    return start
