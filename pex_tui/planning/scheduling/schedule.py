"""Estimated duration of a plan with a number of slots.

The timetable is a simulation of the run by its own rules, including gate and landing. The error
range comes from samples of the estimates' spread, by list scheduling. Plans too large to simulate,
and what-ifs of large ones, use list scheduling alone, with needs, stages, exclusions, named locks
and the sequential strategy. Disabled tasks take no time.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.events.run_events import RunPlanned
from pex_tui.core.figures.simulation import Course, simulate
from pex_tui.core.model.ids import CommitId, LockName, RunId
from pex_tui.core.model.plan import LockMode, Plan, Priority, Strategy
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.step import begin
from pex_tui.planning.scheduling.generation import Generator
from pex_tui.planning.scheduling.timetable_search import best_timetable, lower_bound
from pex_tui.planning.scheduling.workload import Workload, tails

MOST_SIMULATED = 200  # tasks of a plan
_MOST_SAMPLES, _SAMPLED_TASKS = 60, 4_000
_NOBODY, _NOTHING = RunId("estimate"), CommitId("0" * 40)
_URGENCY = {priority: place for place, priority in enumerate(Priority)}


class Schedule(Struct, frozen=True):
    """A plan's timetable, in plan order; seconds from the start of the run.

    Eight of ten runs take between `low_seconds` and `high_seconds`. `serial_seconds` is T₁,
    `critical_seconds` T∞, `lower_bound_seconds` max(T∞, T₁/slots).
    """

    slots: int
    starts: tuple[float, ...]
    finishes: tuple[float, ...]
    makespan_seconds: float
    low_seconds: float
    high_seconds: float
    lower_bound_seconds: float
    serial_seconds: float
    critical_seconds: float

    @property
    def speedup(self) -> float:
        """Return T₁/T; 1 for an empty plan."""
        return self.serial_seconds / self.makespan_seconds if self.makespan_seconds else 1.0


def schedule_plan(
    plan: Plan, graph: PlanGraph, rules: RunRules, slots: int | None = None
) -> Schedule:
    """Return the timetable for the given slots, else the plan's, else the configured ones."""
    count = slots or plan.slots or rules.slots
    if len(plan.tasks) > MOST_SIMULATED:
        return _listed(plan, graph, count)
    work = _workload(plan, graph, _usable(plan, count))
    course = _course(plan, rules, count)
    low, high = _spread(plan, graph, work)
    return Schedule(
        slots=count,
        starts=tuple(start or 0.0 for start in course.starts),
        finishes=tuple(finish or 0.0 for finish in course.finishes),
        makespan_seconds=course.end,
        low_seconds=course.end * low,
        high_seconds=course.end * high,
        lower_bound_seconds=min(lower_bound(work), course.end),
        serial_seconds=sum(work.seconds),
        critical_seconds=max(tails(work), default=0.0),
    )


def what_if(
    plan: Plan, graph: PlanGraph, rules: RunRules, slots: Iterable[int]
) -> tuple[Schedule, ...]:
    """Return one schedule per number of slots; more slots are never slower."""
    counts = tuple(slots)
    simulates = len(plan.tasks) * len(counts) <= MOST_SIMULATED
    now = plan.slots or rules.slots
    factor = 1.0
    if not simulates:  # the others are scaled by the ratio of this run to its own list schedule
        listed = _listed(plan, graph, now).makespan_seconds
        factor = schedule_plan(plan, graph, rules).makespan_seconds / listed if listed else 1.0
    found: list[Schedule] = []
    for count in counts:
        if simulates or count == now:
            schedule = schedule_plan(plan, graph, rules, count)
        else:
            schedule = _stretched(_listed(plan, graph, count), factor)
        better = [one for one in found if one.makespan_seconds < schedule.makespan_seconds]
        found.append(_with_slots(better[-1], schedule) if better else schedule)
    return tuple(found)


def _usable(plan: Plan, slots: int) -> int:
    return 1 if plan.strategy is Strategy.SEQUENTIAL else slots


def _course(plan: Plan, rules: RunRules, slots: int) -> Course:
    """Simulate the run of the plan without failures and timeouts."""
    tasks = tuple(replace(spec, timeout_seconds=None, brief=None) for spec in plan.tasks)
    simulated = replace(plan, tasks=tasks, slots=slots)
    state = begin(RunPlanned(_NOBODY, simulated, rules, _NOTHING, "", None, seed=0))
    return simulate(state, [spec.estimate_seconds for spec in plan.tasks], plan.pace)


def _listed(plan: Plan, graph: PlanGraph, slots: int) -> Schedule:
    """Return the best timetable of list scheduling."""
    work = _workload(plan, graph, _usable(plan, slots))
    best = best_timetable(work, _urgency(plan, len(work.seconds)))
    tasks = len(plan.tasks)
    low, high = _spread(plan, graph, work)
    return Schedule(
        slots=slots,
        starts=best.starts[:tasks],
        finishes=best.finishes[:tasks],
        makespan_seconds=best.makespan,
        low_seconds=best.makespan * low,
        high_seconds=best.makespan * high,
        lower_bound_seconds=lower_bound(work),
        serial_seconds=sum(work.seconds),
        critical_seconds=max(tails(work), default=0.0),
    )


def _spread(plan: Plan, graph: PlanGraph, work: Workload) -> tuple[float, float]:
    """Return the 10th and 90th percentile of a hundred samples, as factors of the expectation.

    Each sample draws every duration from its estimate's spread; a predicted conflict of two tasks
    that run in parallel costs the second one a rerun with its probability.
    """
    usual = Generator.of(work).parallel(keys := _keys(plan, work)).makespan
    samples = min(_MOST_SAMPLES, _SAMPLED_TASKS // (len(work.seconds) or 1))
    if not usual or not samples:
        return 1.0, 1.0
    random = Random(0)  # noqa: S311 - samples durations, keeps no secret
    risks = [
        (graph.index[pair.second], pair.chance)
        for pair in plan.collisions
        if graph.index[pair.second] not in graph.excluded[graph.index[pair.first]]
    ]
    ends = []
    for _ in range(samples):
        seconds = list(work.seconds)
        for position, spec in enumerate(plan.tasks):
            seconds[position] *= math.exp(random.gauss(0.0, spec.estimate_spread))
        for position, chance in risks:
            if random.random() < chance:
                seconds[position] += work.seconds[position]
        sample = replace(work, seconds=tuple(seconds))
        ends.append(Generator.of(sample).parallel(keys).makespan / usual)
    ends.sort()
    tenth = len(ends) // 10
    return min(1.0, ends[tenth]), max(1.0, ends[-1 - tenth])


def _keys(plan: Plan, work: Workload) -> list[tuple[float, ...]]:
    """Return the dispatcher's sort keys."""
    return [
        (float(urgency), -level)
        for urgency, level in zip(_urgency(plan, len(work.seconds)), tails(work), strict=True)
    ]


def _stretched(schedule: Schedule, factor: float) -> Schedule:
    return replace(
        schedule,
        makespan_seconds=schedule.makespan_seconds * factor,
        low_seconds=schedule.low_seconds * factor,
        high_seconds=schedule.high_seconds * factor,
    )


def _with_slots(timetable: Schedule, asked: Schedule) -> Schedule:
    """Return a timetable for fewer slots, which is valid for more of them as well."""
    return replace(
        timetable,
        slots=asked.slots,
        lower_bound_seconds=asked.lower_bound_seconds,
        serial_seconds=asked.serial_seconds,
        critical_seconds=asked.critical_seconds,
    )


def _workload(plan: Plan, graph: PlanGraph, slots: int) -> Workload:
    """Return the plan as numbers; each stage but the first begins with a barrier of length zero."""
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
    """Yield positions of two tasks with the same lock, unless both share it; the smaller first."""
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
    """Return each task's priority rank; barriers come first, as soon as they can start."""
    ranks = [_URGENCY[spec.priority] for spec in plan.tasks if spec.enabled]
    low = min(ranks, default=0)
    listed = [_URGENCY[spec.priority] if spec.enabled else low for spec in plan.tasks]
    return listed + [low] * (count - len(listed))
