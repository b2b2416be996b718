"""A resource-constrained scheduling problem, and a solution of it.

Times are seconds from the start. This module is independent of plans.
"""

from collections.abc import Sequence

from msgspec import Struct

Amounts = tuple[tuple[int, float], ...]  # (resource, amount)


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
