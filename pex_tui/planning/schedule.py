"""How long a plan will take with a number of slots, from its estimates: a timetable, not a promise.

Needs, stages, exclusions, named locks and the sequential strategy hold; landing and gate take no
time here. Switched-off tasks take none either.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from pex_tui.core.graph import PlanGraph
from pex_tui.core.ids import LockName
from pex_tui.core.plan import LockMode, Plan, Priority, Strategy
from pex_tui.core.rules import RunRules
from pex_tui.planning.improve import best_timetable, lower_bound
from pex_tui.planning.workload import Workload, tails

_URGENCY = {priority: place for place, priority in enumerate(Priority)}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A plan's timetable; seconds from the start of the run, in plan order.

    `serial_seconds` is T₁, `critical_seconds` T∞, `lower_bound_seconds` max(T∞, T₁/slots).
    """

    slots: int
    starts: tuple[float, ...]
    finishes: tuple[float, ...]
    makespan_seconds: float
    lower_bound_seconds: float
    serial_seconds: float
    critical_seconds: float

    @property
    def speedup(self) -> float:
        """T₁/T; 1 for an empty plan."""
        return self.serial_seconds / self.makespan_seconds if self.makespan_seconds else 1.0


def schedule_plan(
    plan: Plan, graph: PlanGraph, rules: RunRules, slots: int | None = None
) -> Schedule:
    """The best timetable found for the slots given, else the plan's, else the configured ones."""
    count = slots or plan.slots or rules.slots
    usable = 1 if plan.strategy is Strategy.SEQUENTIAL else count
    work = _workload(plan, graph, usable)
    best = best_timetable(work, _urgency(plan, len(work.seconds)))
    tasks = len(plan.tasks)
    return Schedule(
        slots=count,
        starts=best.starts[:tasks],
        finishes=best.finishes[:tasks],
        makespan_seconds=best.makespan,
        lower_bound_seconds=lower_bound(work),
        serial_seconds=sum(work.seconds),
        critical_seconds=max(tails(work), default=0.0),
    )


def what_if(
    plan: Plan, graph: PlanGraph, rules: RunRules, slots: Iterable[int]
) -> tuple[Schedule, ...]:
    """One schedule for each number of slots; more slots never show as slower."""
    found: list[Schedule] = []
    for count in slots:
        schedule = schedule_plan(plan, graph, rules, count)
        better = [
            earlier
            for earlier in found
            if earlier.slots < count and earlier.makespan_seconds < schedule.makespan_seconds
        ]
        found.append(_with_slots(better[-1], schedule) if better else schedule)
    return tuple(found)


def _with_slots(timetable: Schedule, asked: Schedule) -> Schedule:
    """A timetable of fewer slots, which holds for more of them as well."""
    return Schedule(
        asked.slots,
        timetable.starts,
        timetable.finishes,
        timetable.makespan_seconds,
        asked.lower_bound_seconds,
        asked.serial_seconds,
        asked.critical_seconds,
    )


def _workload(plan: Plan, graph: PlanGraph, slots: int) -> Workload:
    """The plan as numbers; each stage but the first begins with a barrier, a task of no length."""
    rivals = [set(neighbours) for neighbours in graph.excluded]
    for first, second, _ in lock_pairs(plan):
        rivals[first].add(second)
        rivals[second].add(first)
    before = [list(needs) for needs in graph.needs]
    seconds = [spec.estimate_seconds if spec.enabled else 0.0 for spec in plan.tasks]
    if plan.strategy is Strategy.STAGES:
        _add_barriers(plan, before)
    barriers = len(before) - len(seconds)
    enabled = [spec.enabled for spec in plan.tasks]
    return Workload(
        seconds=(*seconds, *(0.0 for _ in range(barriers))),
        before=tuple(tuple(earlier) for earlier in before),
        excluded=(
            *(
                frozenset(other for other in others if enabled[other]) if on else frozenset()
                for on, others in zip(enabled, rivals, strict=True)
            ),
            *(frozenset[int]() for _ in range(barriers)),
        ),
        demands=(*(((0, 1.0),) if on else () for on in enabled), *(() for _ in range(barriers))),
        capacities=(float(slots),),
    )


def lock_pairs(plan: Plan) -> Iterator[tuple[int, int, LockName]]:
    """Positions of two tasks that hold the same lock, unless both share it; the smaller first."""
    holders: dict[LockName, list[tuple[int, bool]]] = {}
    for position, spec in enumerate(plan.tasks):
        for lock in spec.locks:
            shares = lock.mode is LockMode.SHARED
            for other, other_shares in holders.setdefault(lock.name, []):
                if not (shares and other_shares):
                    yield other, position, lock.name
            holders[lock.name].append((position, shares))


def _add_barriers(plan: Plan, before: list[list[int]]) -> None:
    stages: dict[int, list[int]] = {}
    for position, spec in enumerate(plan.tasks):
        stages.setdefault(spec.stage or 1, []).append(position)
    ordered = [stages[number] for number in sorted(stages)]
    for earlier, later in pairwise(ordered):
        before.append(list(earlier))
        for position in later:
            before[position].append(len(before) - 1)


def _urgency(plan: Plan, count: int) -> list[int]:
    """Each task's rank of priority; barriers come first, as soon as they can."""
    ranks = [_URGENCY[spec.priority] for spec in plan.tasks if spec.enabled]
    low = min(ranks, default=0)
    listed = [_URGENCY[spec.priority] if spec.enabled else low for spec in plan.tasks]
    return listed + [low] * (count - len(listed))
