"""From a goal's text to a plan: what is read, what is chosen, and that the plan always parses."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from pex_tui.core.figures.experience import Experience, Learned, TaskWork
from pex_tui.core.model.ids import AgentName, TaskId
from pex_tui.core.model.plan import Plan, Strategy
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.runners import PRESETS
from pex_tui.planning.goals.clauses import is_path, read_clauses
from pex_tui.planning.goals.goal_signals import read_signals
from pex_tui.planning.goals.goal_text import MOST_READ
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.patterns.choice import Pattern
from pex_tui.planning.goals.patterns.choose import choose_pattern
from pex_tui.planning.goals.planner import GoalPlan, plan_goal
from pex_tui.planning.goals.tools import find_tools
from pex_tui.planning.goals.verbs import Intent
from pex_tui.planning.goals.wording import PARTS
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan
from tests.planning.outlines import OUTLINES, outline
from tests.planning.written_plans import as_written

LIBRARY = {AgentName(name): AgentDefinition(AgentName(name)) for name in PARTS}
INVESTIGATE = "Find out why the checkout fails and is slow"
BUILD = "Build a customer portal with login, billing and a dashboard"


def context_of(found: RepositoryOutline, *missing: str) -> PlanContext:
    """Return a machine that has every program but those, and no coding agent."""
    missing = (*missing, *(runner.argv[0] for runner in PRESETS))
    return PlanContext(
        agents=LIBRARY,
        tracked=frozenset(found.files),
        find_program=lambda program: None if program in missing else program,
    )


def rules_of(plan: Plan) -> RunRules:
    return RunRules(slots=plan.slots or 5)


def made(goal: str, repo: str = "python", *missing: str) -> GoalPlan:
    found = OUTLINES[repo]
    return plan_goal(goal, found, context_of(found, *missing), rules_of)


def reason(plan: GoalPlan, start: str) -> str:
    return next(line for line in plan.reasons if line.startswith(start))


_PIECES = st.sampled_from(
    [
        *("fix", "Build", "why", "don't", "without", "tests", "PRODUCTION IS DOWN", "src/a.py"),
        *("src/shop/orders.py", ".git/config", "C:/x/y", "../a/b", "docs/*.md", "a{b/c/d", "~/x/y"),
        *("'", '"', "\n", "\t", ": ", "# x", "- ", "{", "|", "\x1b[31m", "\0", "\x85", "\ud800"),
        *("修复", "ошибка", "½", "👩‍💻", "\u202e", "%s", "$(x)", "1.", "then", "first", ",", "?"),
        *("***/", "./././", "e-", "-/-/-", "*.md", "a/", "x" * 500, "\ufeff", "\ue000", "\ufffe"),
    ]
)
_GOALS = st.lists(_PIECES, min_size=1, max_size=30).map(" ".join) | st.text(max_size=300)


@example("Build src/a.py src/shop/orders.py ./././", "docs")
@example("Build src/a.py src/shop/orders.py ./.git/hooks/", "docs")
@given(_GOALS, st.sampled_from(sorted(OUTLINES)))
def test_whatever_the_goal_holds_the_plan_is_a_plan_file(goal: str, repo: str) -> None:
    found = OUTLINES[repo]
    if not "".join(clean(line) for line in goal.splitlines()).strip():
        with pytest.raises(UserError, match="empty"):
            made(goal, repo)
        return
    plan = made(goal, repo)

    assert as_written(parse_plan(plan.text, "goal.yaml", context_of(found))) == as_written(
        plan.plan
    )
    assert all(line.isprintable() for line in plan.reasons)


def test_twenty_thousand_characters_are_a_goal() -> None:
    plan = made("Fix the crash. " + "It fails for 'quoted' \"names\".\n" * 650)

    assert len(plan.plan.goal) > 19_000


@pytest.mark.parametrize(
    ("goal", "word"),
    [("", "empty"), (" \n\x1b[0m ", "empty"), ("x" * (MOST_READ + 1), "file of the repository")],
)
def test_a_goal_without_words_or_without_end_is_refused(goal: str, word: str) -> None:
    with pytest.raises(UserError, match=word):
        made(goal)


def test_a_goal_gives_the_same_plan_each_time() -> None:
    assert made(BUILD) == made(BUILD)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("src/a.py", True),
        ("README.md", True),
        ("src/", True),
        ("src/pay/api", True),
        ("and/or", False),
        ("/etc/passwd", False),
        ("../a/b.py", False),
        (".git/config", False),
        ("http://a/b.html", False),
        ("e.g", False),
        ("v1.2", False),
    ],
)
def test_what_is_written_like_a_path(text: str, *, expected: bool) -> None:
    assert is_path(text) is expected


def test_each_order_is_a_clause_of_its_own() -> None:
    clauses = read_clauses("Find the cause of the leak, fix it, and add a regression test")

    assert [one.intent for one in clauses] == [Intent.INVESTIGATE, Intent.FIX, Intent.BUILD]


def test_nouns_in_a_list_open_no_clause() -> None:
    clauses = read_clauses("Check whether we can ship: tests, benchmarks, release and design")

    assert [one.intent for one in clauses] == [Intent.INVESTIGATE, None]


@pytest.mark.parametrize(
    ("goal", "intent"),
    [
        ("Defragment the heap", Intent.EDIT),  # not a known verb, but an order
        ("Re-enable the cache", Intent.BUILD),
        ("Sometimes the cache is stale", None),
        ("Emergency, the cache is stale", None),
        ("Support tells us of stale prices", None),
        ("Users report that prices are stale", None),
        ("Write a report of stale prices", Intent.INVESTIGATE),
        ("Write a plan for the new cache", Intent.PLAN),
    ],
)
def test_what_a_sentence_orders(goal: str, intent: Intent | None) -> None:
    assert [one.intent for one in read_clauses(goal)] == [intent]


def test_an_order_without_a_subject_is_about_what_was_told_before() -> None:
    goal = "The parser takes 40 seconds; find out why and speed it up"

    assert choose_pattern(read_signals(goal), OUTLINES["rust"]).agents == ("performance-agent",)


def test_steps_are_counted() -> None:
    clauses = read_clauses("1. Profile it. 2. Speed it up. 3. Release it.")

    assert [one.step for one in clauses] == [0, 1, 2]


@pytest.mark.parametrize(
    "goal",
    [
        "Fix the crash, but do not touch the tests",
        "Fix the crash. Never change a test.",
        "Fix the crash without changing the tests",
        "Fix the crash; no need for new tests",
    ],
)
def test_what_is_ruled_out_speaks_for_nobody(goal: str) -> None:
    signals = read_signals(goal)

    assert "qa-engineer" in signals.ruled_out
    assert choose_pattern(signals, OUTLINES["python"]).agents == ("error-handler",)


def test_a_fault_told_with_not_is_no_prohibition() -> None:
    assert read_signals("The tests do not pass on my machine").ruled_out == frozenset()


def test_an_agent_that_is_ruled_out_is_told() -> None:
    plan = made(f"{BUILD}, but no security review")

    assert "security-agent" not in {spec.agent for spec in plan.plan.tasks}
    assert reason(plan, "security-agent is left out")


def test_the_tools_of_the_repository_stand_in_for_agents() -> None:
    plan = made(INVESTIGATE).plan

    assert plan.strategy is Strategy.PARALLEL
    assert {spec.id: spec.argv for spec in plan.tasks} == {
        "error-handler": ("mypy", "."),
        "qa-engineer": ("pytest", "-q"),
        "performance-agent": ("pytest", "-q", "--durations=20"),
    }
    assert all(spec.is_read_only and spec.enabled and spec.retries == 0 for spec in plan.tasks)


def test_a_tool_that_is_not_installed_is_passed_over() -> None:
    plan = made(INVESTIGATE, "python", "mypy", "pytest")
    by_id = {spec.id: spec for spec in plan.plan.tasks}

    assert by_id[TaskId("error-handler")].argv == ("ruff", "check", ".")
    assert by_id[TaskId("qa-engineer")].argv == ("python", "-m", "compileall", "-q", ".")
    assert not by_id[TaskId("performance-agent")].enabled
    assert "pytest (pyproject.toml) can't be run" in reason(plan, "performance-agent")


def test_python_may_be_called_python3() -> None:
    tasks = made("Why does it fail?", "python", "mypy", "ruff", "python").plan.tasks

    assert tasks[0].argv[0] == "python3"


def test_what_no_tool_can_do_is_switched_off_and_says_what_it_needs() -> None:
    spec = made("Add a --verbose flag to the command line").plan.tasks[0]

    assert not spec.enabled
    assert "needs a coding agent" in spec.prompt
    assert "Goal: Add a --verbose flag" in spec.prompt


def test_an_agent_with_a_command_of_its_own_runs_it() -> None:
    found = OUTLINES["python"]
    engineer = AgentDefinition(AgentName("swebok-engineer"), argv=("my-agent", "--go"))
    context = replace(context_of(found), agents={**LIBRARY, engineer.name: engineer})
    plan = plan_goal("Add a --verbose flag to src/shop/orders.py", found, context, rules_of).plan

    assert plan.tasks[0].enabled
    assert plan.tasks[0].argv == ("my-agent", "--go")
    assert plan.tasks[0].predicted_writes == ("src/shop/orders.py",)
    assert plan.verify == (("pytest", "-q"),)


def test_an_agent_whose_program_is_missing_is_stood_in_for() -> None:
    found = OUTLINES["python"]
    tester = AgentDefinition(AgentName("qa-engineer"), argv=("my-agent",))
    context = replace(context_of(found, "my-agent"), agents={**LIBRARY, tester.name: tester})

    assert plan_goal("Test it", found, context, rules_of).plan.tasks[0].argv == ("pytest", "-q")


def test_a_library_without_our_agents_is_enough() -> None:
    found = OUTLINES["python"]
    context = replace(context_of(found), agents={})

    assert [spec.agent for spec in plan_goal(BUILD, found, context, rules_of).plan.tasks[:1]] == [
        None
    ]


def test_formatting_is_done_by_the_formatter() -> None:
    spec = made("Format the code").plan.tasks[0]

    assert spec.argv == ("ruff", "format", ".")
    assert spec.writes == ("**",)


def test_a_pipeline_has_stages() -> None:
    plan = made(BUILD).plan

    assert plan.strategy is Strategy.STAGES
    assert [spec.stage for spec in plan.tasks] == sorted(spec.stage or 0 for spec in plan.tasks)
    assert {spec.stage for spec in plan.tasks} == {1, 2, 3}


def test_an_emergency_gets_the_boosted_slots_and_its_first_responder_goes_first() -> None:
    plan = made("Production is down, all requests fail").plan

    assert plan.slots == RunRules().emergency_slots
    assert plan.tasks[0].agent == "technical-stabilization"
    assert plan.tasks[0].priority.value == "critical"


def test_steps_in_order_need_each_other() -> None:
    plan = made("First fix the failing tests, then prepare release 2.0").plan

    assert plan.strategy is Strategy.SEQUENTIAL
    assert [spec.needs for spec in plan.tasks] == [(), (plan.tasks[0].id,)]


def test_named_parts_get_a_write_set_each() -> None:
    goal = "Add type hints to src/shop/orders.py, src/shop/stock.py and src/shop/money.py"
    plan = made(goal).plan

    assert [spec.writes for spec in plan.tasks] == [
        ("src/shop/orders.py",),
        ("src/shop/stock.py",),
        ("src/shop/money.py",),
    ]


def test_parts_within_one_another_are_one_part() -> None:
    assert read_signals("Add hints to src/shop/, src/shop/a.py and src/b.py").paths == (
        "src/shop",
        "src/b.py",
    )


def test_side_by_side_only_where_it_pays() -> None:
    found = OUTLINES["python"]
    seconds = {"error-handler": 3600.0, "qa-engineer": 10.0, "performance-agent": 10.0}
    learned = {f"agent {name}": Learned(took) for name, took in seconds.items()}
    context = replace(context_of(found), experience=Experience(learned))
    plan = plan_goal(INVESTIGATE, found, context, rules_of)

    assert plan.plan.strategy is Strategy.SEQUENTIAL
    assert any("would save only" in line for line in plan.reasons)


def test_past_runs_give_the_estimates() -> None:
    found = OUTLINES["python"]
    work = TaskWork(("pytest", "-q"))
    learned = Experience({work.usual_key: Learned(42.0)})
    context = replace(context_of(found), experience=learned)
    plan = plan_goal(INVESTIGATE, found, context, rules_of)
    tester = next(spec for spec in plan.plan.tasks if spec.id == "qa-engineer")

    assert tester.estimate_seconds == 42.0
    assert "estimate from past runs" in reason(plan, "qa-engineer")


def test_the_plan_says_what_one_agent_alone_would_take() -> None:
    for goal in (INVESTIGATE, BUILD, "Fix the typo in README.md"):
        assert "one agent alone would take about" in reason(made(goal), "time:")


def test_likely_files_are_told_to_who_changes_them() -> None:
    assert (
        "Probably about: src/shop/invoices.py" in made("Fix the invoice total").plan.tasks[0].prompt
    )


def test_the_reasons_stand_above_the_plan() -> None:
    plan = made(INVESTIGATE)

    assert plan.text.startswith("# pattern investigation: ")
    assert plan.text.count("\n# ") == len(plan.reasons) - 1


def test_an_obsidian_plugin_is_known_by_its_files() -> None:
    goal = "Test the plugin with a large vault"

    assert choose_pattern(read_signals(goal), OUTLINES["obsidian"]).agents == (
        "obsidian-test-agent",
    )


def test_odd_configuration_names_no_tools() -> None:
    for text in ("[", "[]", '{"scripts": []}', '{"devDependencies": 3}', "\0", "[" * 10_000):
        assert [tool.name for tool in find_tools(("a.txt",), {"package.json": text})] == ["git log"]


def test_a_makefile_s_targets_come_first() -> None:
    found = outline("a.py", {"Makefile": "X := 1\ntest: build\n\tpytest\n", "tox.ini": "pytest"})

    assert found.tools[0].argv == ("make", "test")


def test_every_pattern_is_met_in_the_table_of_goals() -> None:
    goals = (
        INVESTIGATE,
        BUILD,
        "Production is down, all requests fail",
        "Fix the typo",
        "First fix the tests, then release 2.0",
        "Translate a/b.md, a/c.md and a/d.md",
    )
    found = {choose_pattern(read_signals(goal), OUTLINES["python"]).pattern for goal in goals}

    assert found == set(Pattern)


def test_many_named_parts_are_taken_by_their_folders() -> None:
    names = " ".join(f"src/d{number % 4}/f{number}.py" for number in range(60))
    plan = made(f"Add type hints to {names}").plan

    assert [spec.writes for spec in plan.tasks] == [
        (f"src/d{number}", f"src/d{number}/**") for number in range(4)
    ]


def test_what_is_said_over_and_over_is_one_step() -> None:
    plan = made("First fix the crash, then release it. " * 300).plan

    assert [spec.agent for spec in plan.tasks] == ["error-handler", "release-agent"]


def test_a_verb_without_an_object_has_that_of_the_next() -> None:
    chosen = choose_pattern(read_signals("Find and fix all security holes"), OUTLINES["python"])

    assert chosen.pattern is Pattern.SEQUENTIAL
    assert chosen.agents == ("security-agent", "error-handler")


def test_a_review_without_a_subject_looks_at_all() -> None:
    chosen = choose_pattern(read_signals("Do a full code review"), OUTLINES["python"])

    assert chosen.agents == ("qa-engineer", "security-agent", "performance-agent")


def test_a_version_is_no_end_of_a_sentence() -> None:
    assert len(read_clauses("Prepare version 2.0.1 of Node.js for users")) == 1


def test_paths_of_different_orders_are_not_done_side_by_side() -> None:
    goal = "Implement x in src/a.py and src/b.py, and document it in docs/x.md"

    assert choose_pattern(read_signals(goal), OUTLINES["python"]).pattern is not Pattern.PARALLEL
