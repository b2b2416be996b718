"""The estimate is the run as the dispatcher drives it, gate and landing included."""

import heapq
import random

from msgspec.structs import replace

from pex_tui.core.model.phases import TERMINAL, Phase
from pex_tui.core.model.plan import Pace, Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.planning.scheduling.schedule import MOST_SIMULATED, Schedule, schedule_plan, what_if
from tests.core.world import World, task

GATED = RunRules(slots=5, gate_batch=5, gate_retries=1, speculate=True)


def scheduled(plan: Plan, rules: RunRules) -> Schedule:
    return schedule_plan(plan, PlanGraph.build(plan, rules), rules)


def tangled(count: int, spread: float = 0.0) -> Plan:
    """Return a plan of exact durations in which a third of the tasks share a file with others."""
    chance = random.Random(3)  # noqa: S311  # numbers of an example
    return Plan(
        tuple(
            task(
                f"t{number}",
                *({f"t{chance.randrange(number)}"} if number % 3 else ()),
                writes=(f"src/{chance.randrange(count // 3)}.py",),
                estimate_seconds=float(chance.randint(2, 20)),
                estimate_spread=spread,
            )
            for number in range(count)
        )
    )


def driven(plan: Plan, rules: RunRules) -> float:
    """Return the duration of a run driven event by event, with only its tasks' work."""
    run = World(plan, rules)
    begun, known = run.now, set[str]()
    ends: list[tuple[float, str]] = []
    while not all(entry.phase in TERMINAL for entry in run.state.tasks):
        for entry in run.state.tasks:
            if entry.phase is Phase.STARTING and entry.id not in known:
                known.add(entry.id)
                seconds = run.state.spec(entry.id).estimate_seconds
                heapq.heappush(ends, (run.now + seconds, entry.id))
        run.now, name = heapq.heappop(ends)
        run.finish(name, f"{name}.txt")
        for waiting in run.state.landing:
            run.land(waiting)
    return run.now - begun


def test_the_estimate_of_a_plan_full_of_conflicts_is_what_the_dispatcher_does() -> None:
    plan, rules = tangled(50), RunRules(slots=5)

    found = scheduled(plan, rules)

    assert abs(found.makespan_seconds - driven(plan, rules)) <= 0.03 * found.makespan_seconds
    assert found.low_seconds == found.makespan_seconds == found.high_seconds


def test_an_uncertain_estimate_says_between_what_it_lies() -> None:
    found = scheduled(tangled(50, spread=0.5), RunRules(slots=5))

    assert found.low_seconds <= found.makespan_seconds < found.high_seconds < 2 * found.low_seconds


def test_a_gate_that_has_run_before_is_in_the_estimate() -> None:
    tasks = tuple(task(f"t{number}", estimate_seconds=2.0) for number in range(10))
    plan = Plan(tasks, verify=(("pytest",),))

    known = scheduled(replace(plan, pace=Pace(gate_seconds=8.0)), GATED).makespan_seconds

    assert scheduled(plan, GATED).makespan_seconds == 4
    assert 2 + 8 + 2 <= known <= 2 + 3 * 8 + 2  # a few batches, one after the other
    one_by_one = replace(GATED, gate_batch=1, speculate=False)
    serial = scheduled(replace(plan, pace=Pace(gate_seconds=8.0)), one_by_one)
    assert serial.makespan_seconds == 2 + 10 * 8


def test_starts_and_landings_are_in_the_estimate() -> None:
    pace = Pace(start_seconds=1.0, capture_seconds=0.5, land_seconds=0.5)
    plan = Plan(
        (task("a", estimate_seconds=10.0), task("b", "a", estimate_seconds=10.0)), pace=pace
    )

    assert scheduled(plan, RunRules(slots=2)).makespan_seconds == 24


def test_a_plan_too_large_to_simulate_has_an_estimate_all_the_same() -> None:
    plan = tangled(MOST_SIMULATED + 1)

    found = scheduled(plan, RunRules(slots=5))

    assert found.makespan_seconds >= found.lower_bound_seconds > 0


def test_a_what_if_of_the_slots_there_are_is_the_estimate() -> None:
    for plan in (tangled(9), tangled(60)):
        rules = RunRules(slots=5)
        options = what_if(plan, PlanGraph.build(plan, rules), rules, range(5, 8))
        assert options[0].makespan_seconds == scheduled(plan, rules).makespan_seconds
