from collections.abc import Callable

import pytest
from msgspec.structs import replace

from pex_tui.core.model.ids import AgentName
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.warnings import PlanWarning, plan_warnings, risks

RULES = RunRules(slots=1)
GATE = "verify: [[pytest]]\n"
CYCLE = (
    "tasks:\n- {id: a, command: x, writes: [a], needs: [b]}\n"
    "- {id: b, command: x, writes: [b], needs: [a]}\n"
)


@pytest.fixture
def warnings(parse: Callable[..., Plan]) -> Callable[..., tuple[PlanWarning, ...]]:
    def found(text: str, rules: RunRules = RULES) -> tuple[PlanWarning, ...]:
        plan = parse(text, PlanContext(tracked=frozenset({"README.md"}), break_cycles=True))
        return plan_warnings(plan, PlanGraph.build(plan, rules), rules)

    return found


@pytest.mark.parametrize(
    ("text", "warning", "tasks"),
    [
        ("tasks: [{id: a, command: x, writes: [a]}]", "has no gate", ("a",)),
        (GATE + CYCLE, "the need of b for a was dropped to break a cycle", ("b", "a")),
        (GATE + "tasks: [{id: a, command: x}]", "a does not say what may be written", ("a",)),
        (
            GATE + "tasks: [{id: a, command: x, prompt: mend README.md}]",
            "its prompt names README.md",
            ("a",),
        ),
        (
            GATE + "tasks: [{id: a, command: x, writes: [f]}, {id: b, command: x, writes: [f]}]",
            "a and b are serialized: both write f",
            ("a", "b"),
        ),
        (
            GATE + "tasks: [{id: a, command: x, reads: [f], writes: []}, "
            "{id: b, command: x, writes: [f]}]",
            "a reads f, which b may change at the same time",
            ("a", "b"),
        ),
        (
            "tasks: [{id: a, command: x, writes: [], timeout: 10s, estimate: 20s}]",
            "a is stopped after 0:10 and is expected to take 0:20",
            ("a",),
        ),
        (
            "tasks: [{id: a, command: x, writes: [], enabled: false}]",
            "a is disabled",
            ("a",),
        ),
    ],
)
def test_a_plan_warns_of_what_its_author_may_not_have_meant(
    text: str,
    warning: str,
    tasks: tuple[str, ...],
    warnings: Callable[..., tuple[PlanWarning, ...]],
) -> None:
    (found,) = warnings(text)
    assert warning in found.text
    assert found.tasks == tasks
    assert found.remedy.endswith(".")


def test_a_sound_plan_warns_of_nothing(warnings: Callable[..., tuple[PlanWarning, ...]]) -> None:
    assert warnings(GATE + "tasks: [{id: a, command: x, writes: [f]}]") == ()


def test_slots_that_stay_empty_are_told(warnings: Callable[..., tuple[PlanWarning, ...]]) -> None:
    tasks = "tasks: [{id: a, command: x, writes: []}, {id: b, command: x, writes: []}]"
    (found,) = warnings(tasks, RunRules(slots=5))
    assert found.text == "2 tasks can't fill 5 slots"


def test_many_tasks_are_named_in_short(warnings: Callable[..., tuple[PlanWarning, ...]]) -> None:
    tasks = "".join(f"- {{id: t{n}, command: x, writes: [f]}}\n" for n in range(9))
    (found,) = warnings(f"{GATE}tasks:\n{tasks}")
    assert "t0, t1, t2, t3, t4 and 4 more are serialized" in found.text


def test_an_agent_that_only_reads_and_is_to_write_is_told(parse: Callable[..., Plan]) -> None:
    reader = AgentDefinition(AgentName("reader"), tools=("Read", "Grep"), writes=())
    writer = AgentDefinition(AgentName("writer"), tools=("Read", "Bash"))
    context = PlanContext(agents={one.name: one for one in (reader, writer)})
    plan = parse(
        GATE + "tasks: [{id: a, agent: reader, prompt: x, writes: [f]}, "
        "{id: b, agent: writer, prompt: x, writes: [g]}]",
        context,
    )
    (found,) = plan_warnings(plan, PlanGraph.build(plan, RULES), RULES)

    assert found.text == "a is to write f, and its agent reader has no tool that writes"
    assert found.tasks == ("a",)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (None, None),
        (100, None),
        (12, "conflicts are predicted from 12 past changes only, which is uncertain"),
        (1, "there is no history to predict conflicts from"),
        (0, "only declared writes and names in prompts count"),
    ],
)
def test_how_little_history_foresight_rests_on_is_told(
    parse: Callable[..., Plan], changes: int | None, told: str | None
) -> None:
    plan = replace(
        parse(f"{GATE}tasks: [{{id: a, command: x, writes: [a]}}]"), past_changes=changes
    )

    found = plan_warnings(plan, PlanGraph.build(plan, RULES), RULES)

    assert [warning.text for warning in found if told is None or told not in warning.text] == []
    assert len(found) == (told is not None)


def test_only_tasks_that_nothing_else_orders_are_said_to_take_turns(
    parse: Callable[..., Plan],
) -> None:
    plan = parse(
        GATE + "tasks:\n"
        "- {id: first, command: x, writes: [f]}\n"
        "- {id: second, command: x, writes: [f], needs: [first]}\n"
        "- {id: left, command: x, writes: [g]}\n"
        "- {id: right, command: x, writes: [g]}\n"
        "- {id: holder, command: x, writes: [h], locks: [db]}\n"
        "- {id: waiter, command: x, writes: [i], locks: [db]}\n"
    )

    assert risks(plan, PlanGraph.build(plan, RULES)) == (
        *("none", "none"),
        *("serialized", "serialized"),
        *("serialized", "serialized"),
    )


def test_a_prompt_that_no_variable_holds_is_told(parse: Callable[..., Plan]) -> None:
    plan = parse(f'tasks: [{{id: a, command: ./tool, prompt: "{"x" * 200_000}", writes: []}}]')
    (found,) = plan_warnings(plan, PlanGraph.build(plan, RULES), RULES)
    assert "longer than a variable can be" in found.text
    assert "$PEX_PROMPT_FILE" in found.remedy
