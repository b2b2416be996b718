from collections.abc import Callable

from pex_tui.core.model.plan import Plan
from pex_tui.planning.plan_file.context import PlanContext

CYCLE = """\
tasks:
  - {id: a, command: x, needs: [b]}
  - {id: b, command: x, needs: [c]}
  - {id: c, command: x, needs: [a]}
"""


def test_a_cycle_names_its_tasks_in_order_and_the_youngest_edge(
    problems: Callable[..., list[str]],
) -> None:
    (found,) = problems(CYCLE)
    assert found == (
        'plan.yaml:4: these tasks wait for each other: "a" needs "b" needs "c" needs "a". Drop '
        'the need of "c" for "a", or run with --set conflict_resolution.break_cycles=true.'
    )


def test_the_least_urgent_edge_is_the_one_to_drop(problems: Callable[..., list[str]]) -> None:
    (found,) = problems(CYCLE.replace("id: b,", "id: b, priority: low,"))
    assert 'Drop the need of "b" for "c"' in found


def test_a_cycle_may_be_broken_and_says_which_need_went(parse: Callable[..., Plan]) -> None:
    plan = parse(CYCLE, PlanContext(break_cycles=True))
    assert plan.dropped_needs == (("c", "a"),)
    assert [task.needs for task in plan.tasks] == [("b",), ("c",), ()]


def test_each_of_two_cycles_is_told(problems: Callable[..., list[str]]) -> None:
    found = problems(
        """\
        tasks:
          - {id: a, command: x, needs: [b]}
          - {id: b, command: x, needs: [a]}
          - {id: c, command: x, needs: [d]}
          - {id: d, command: x, needs: [c, a]}
        """
    )
    assert len(found) == 2


def test_a_long_cycle_is_told_in_short(problems: Callable[..., list[str]]) -> None:
    tasks = "".join(f"  - {{id: t{n}, command: x, needs: [t{(n + 1) % 12}]}}\n" for n in range(12))
    (found,) = problems(f"tasks:\n{tasks}")
    assert '"t7" needs 4 more needs "t0"' in found


def test_a_need_given_twice_counts_once(parse: Callable[..., Plan]) -> None:
    plan = parse("tasks:\n- {id: a, command: x}\n- {id: b, command: x, needs: [a, a]}\n")
    assert plan.tasks[1].needs == ("a",)
