from pex_tui.cli.output.check import WIDTH, render_check
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan

RULES = RunRules(slots=3)

PLAN = """\
goal: Harden the public API
verify: [[pytest, -q]]
tasks:
  - {id: schema, command: a, writes: [db/schema.sql], estimate: 2m}
  - {id: spec, command: a, writes: [openapi.yaml], estimate: 3m}
  - {id: models, command: a, writes: [src/models.py, README.md], estimate: 4m, needs: [schema]}
  - {id: routes, command: a, writes: [README.md], estimate: 3m, needs: [schema, spec]}
  - {id: e2e, command: a, writes: [], estimate: 3m, needs: [models, routes]}
"""


def planned(text: str) -> Plan:
    return parse_plan(text, "plan.yaml", PlanContext(break_cycles=True))


def checked(plan: Plan, **options: int | tuple[str, ...]) -> str:
    return render_check(plan, PlanGraph.build(plan, RULES), RULES, **options)  # type: ignore[arg-type]  # keywords of one test each


def test_a_check_shows_shape_length_bound_turns_and_warnings() -> None:
    assert (
        checked(planned(PLAN))
        == """\
Harden the public API
5 tasks · 3 waves · width 2 · 3 slots · strategy auto

Estimate   12:00 (10:32 to 13:44) with 3 slots, without the gate, which has not run yet
Serial     15:00 one task at a time, 1.2 times the estimate
Bound      9:00: no order is shorter (critical path 9:00)
What if    12:00 with 3 slots; more would not help

Waves
  1  schema  spec
  2  models  routes
  3  e2e

Critical path, 9:00
  schema 2:00 → models 4:00 → e2e 3:00

Serialized: 1 pair of tasks that must not run in parallel
  routes waits for models: both write README.md

Warnings: 1
  ! models and routes are serialized: both write README.md.
    Nothing to do; for more speed, split what they share, or name one in beside: of the other.
"""
    )


def test_slots_from_the_command_line_count() -> None:
    assert "Estimate   15:00 (13:50 to 16:33) with 1 slot" in checked(planned(PLAN), slots=1)


def test_a_sequential_plan_says_that_everything_waits() -> None:
    text = checked(planned("strategy: sequential\n" + PLAN))
    assert "Estimate   15:00 (13:50 to 16:33) one task at a time" in text
    assert "Serialized: everything, by the strategy" in text
    assert "What if" not in text


def test_notices_of_the_configuration_stand_among_the_warnings() -> None:
    assert "Warnings: 2\n  ! budget: nobody watches.\n" in checked(
        planned(PLAN), notices=("budget: nobody watches.",)
    )


def test_a_plan_without_anything_to_say_says_so() -> None:
    text = checked(planned("slots: 1\ntasks: [{id: a, command: x, writes: []}]"))
    assert "Serialized: nothing" in text
    assert "Warnings: none" in text


def test_large_plans_stay_within_a_hundred_columns_and_a_few_screens() -> None:
    tasks = "".join(
        f"  - {{id: a-task-with-quite-a-long-name-{n}, command: x, writes: [docs/{n % 3}.md]}}\n"
        for n in range(120)
    )
    text = checked(planned(f"goal: {'word ' * 60}\ntasks:\n{tasks}"))
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert "  and 97 more" in text


def test_a_goal_can_not_steer_the_terminal() -> None:
    text = checked(
        planned('{"goal": "\\u001b]0;x\\u0007y", "tasks": [{"id": "a", "command": "x"}]}')
    )
    assert "\x1b" not in text
    assert "\x07" not in text
