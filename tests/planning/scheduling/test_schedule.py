import random
from collections.abc import Callable

from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.planning.scheduling.expected_waits import exclusions, turns
from pex_tui.planning.scheduling.graph_shape import plan_shape
from pex_tui.planning.scheduling.schedule import Schedule, schedule_plan, what_if

RULES = RunRules(slots=2)

DIAMOND = """\
tasks:
  - {id: a, command: x, writes: [a], estimate: 10s}
  - {id: b, command: x, writes: [b], estimate: 20s, needs: [a]}
  - {id: c, command: x, writes: [c], estimate: 30s, needs: [a]}
  - {id: d, command: x, writes: [d], estimate: 10s, needs: [b, c]}
"""


def scheduled(plan: Plan, slots: int | None = None) -> Schedule:
    return schedule_plan(plan, PlanGraph.build(plan, RULES), RULES, slots)


def test_waves_critical_path_and_width_of_a_diamond(parse: Callable[..., Plan]) -> None:
    plan = parse(DIAMOND)
    shape = plan_shape(plan, PlanGraph.build(plan, RULES))
    assert shape.waves == (("a",), ("b", "c"), ("d",))
    assert shape.critical_path == ("a", "c", "d")
    assert (shape.critical_seconds, shape.width) == (50, 2)


def test_width_counts_tasks_of_different_waves(parse: Callable[..., Plan]) -> None:
    plan = parse("tasks:\n- {id: a, command: x}\n- {id: b, command: x, needs: [a]}\n"
                 "- {id: c, command: x}\n- {id: d, command: x, needs: [c]}\n"
                 "- {id: e, command: x, needs: [a]}\n")  # fmt: skip
    assert plan_shape(plan, PlanGraph.build(plan, RULES)).width == 3


def test_a_schedule_says_its_length_its_bound_and_the_serial_time(
    parse: Callable[..., Plan],
) -> None:
    found = scheduled(parse(DIAMOND))
    assert (found.makespan_seconds, found.lower_bound_seconds) == (50, 50)
    assert (found.serial_seconds, found.critical_seconds) == (70, 50)
    assert found.speedup == 70 / 50
    assert scheduled(parse(DIAMOND), 1).makespan_seconds == 70


def test_the_plans_slots_come_before_the_configured_ones(parse: Callable[..., Plan]) -> None:
    assert scheduled(parse("slots: 7\n" + DIAMOND)).slots == 7
    assert scheduled(parse("slots: 7\n" + DIAMOND), 3).slots == 3
    assert scheduled(parse(DIAMOND)).slots == 2


def test_sequential_plans_run_one_at_a_time(parse: Callable[..., Plan]) -> None:
    assert scheduled(parse("strategy: sequential\n" + DIAMOND)).makespan_seconds == 70


def test_a_stage_starts_when_the_one_before_has_ended(parse: Callable[..., Plan]) -> None:
    plan = parse(
        """\
        strategy: stages
        tasks:
          - {id: a, command: x, writes: [a], estimate: 10s}
          - {id: b, command: x, writes: [b], estimate: 30s}
          - {id: c, command: x, writes: [c], estimate: 5s, stage: 4}
        """
    )
    assert scheduled(plan).starts == (0, 0, 30)


def test_overlaps_and_locks_take_turns(parse: Callable[..., Plan]) -> None:
    plan = parse(
        """\
        tasks:
          - {id: a, command: x, writes: [f], estimate: 10s}
          - {id: b, command: x, writes: [f], estimate: 20s}
          - {id: c, command: x, writes: [], estimate: 10s, locks: [pg]}
          - {id: d, command: x, writes: [], estimate: 20s, locks: [pg: shared]}
          - {id: e, command: x, writes: [], estimate: 20s, locks: [pg: shared]}
        """
    )
    graph = PlanGraph.build(plan, RULES)
    found = schedule_plan(plan, graph, RULES, 5)
    assert found.makespan_seconds == 30
    pairs = exclusions(plan, graph)
    assert [(pair.first, pair.second, pair.reason) for pair in pairs] == [
        (0, 1, "both write f"),
        (2, 3, "both hold the lock pg"),
        (2, 4, "both hold the lock pg"),
    ]
    assert {(turn.waits, turn.on) for turn in turns(plan, pairs, found)} >= {("a", "b")}


def test_tasks_that_needs_order_anyway_are_no_overlap(parse: Callable[..., Plan]) -> None:
    plan = parse(
        "tasks:\n- {id: a, command: x, writes: [f]}\n"
        "- {id: b, command: x, writes: [], needs: [a]}\n"
        "- {id: c, command: x, writes: [f], needs: [b]}\n"
    )
    assert exclusions(plan, PlanGraph.build(plan, RULES)) == ()


def test_switched_off_tasks_take_no_time_and_meet_nobody(parse: Callable[..., Plan]) -> None:
    plan = parse(
        "tasks:\n- {id: a, command: x, writes: [f], estimate: 10s}\n"
        "- {id: b, command: x, writes: [f], estimate: 99s, enabled: false}\n"
        "- {id: c, command: x, writes: [g], estimate: 10s, needs: [b]}\n"
    )
    graph = PlanGraph.build(plan, RULES)
    assert scheduled(plan).makespan_seconds == 10
    assert exclusions(plan, graph) == ()
    shape = plan_shape(plan, graph)
    assert (shape.critical_seconds, shape.width) == (10, 2)
    assert "b" not in [task for wave in shape.waves for task in wave]


def test_more_slots_are_never_slower(parse: Callable[..., Plan]) -> None:
    chance = random.Random(7)  # noqa: S311 - numbers of an example
    tasks = "".join(
        f"- {{id: t{n}, command: x, writes: [f{n % 9}], estimate: {chance.randint(1, 99)}s, "
        f"needs: [{', '.join({f't{chance.randrange(n)}' for _ in range(2)}) if n else ''}]}}\n"
        for n in range(40)
    )
    plan = parse(f"tasks:\n{tasks}")
    options = what_if(plan, PlanGraph.build(plan, RULES), RULES, range(3, 11))
    lengths = [each.makespan_seconds for each in options]
    assert lengths == sorted(lengths, reverse=True)
    assert [each.slots for each in options] == list(range(3, 11))
    assert all(each.makespan_seconds >= each.lower_bound_seconds for each in options)
