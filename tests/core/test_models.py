"""Agents with a model: permissions by rule, limits, budgets, and prompts of later attempts."""

import pytest

from pex_tui.core.consequences import is_over, next_deadline
from pex_tui.core.events.actions import AnswerAgent, PauseAgent, ResumeAgent
from pex_tui.core.events.agent_events import (
    AgentLimited,
    AgentSpent,
    BudgetExtended,
    PermissionAsked,
)
from pex_tui.core.events.landing_events import GateFinished, MergeConflicted
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentPaused,
    AgentStarted,
    PauseRequested,
    ResumeRequested,
    RunAdopted,
    RunFinished,
    TimePassed,
)
from pex_tui.core.figures.history import read_history
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Brief, PermissionMode, PermissionRules, Plan, TaskSpec
from pex_tui.core.model.state import Outcome
from pex_tui.core.model.task_state import FailureKind, Verdict, WaitCause
from pex_tui.core.outcome import conclude
from pex_tui.core.views.status_text import StartQueue, activity
from tests.core.world import BASE, World, shipped, task

A, B = TaskId("a"), TaskId("b")


def agent(name: str, *needs: str, **fields: object) -> TaskSpec:
    return task(name, *needs, brief=Brief("claude", "claude"), **fields)


def world_of(*specs: TaskSpec, verify: bool = False, **rules: object) -> World:
    gate = (("check",),) if verify else ()
    return World(Plan(specs, verify=gate), shipped(**rules))


def ruled(mode: PermissionMode = PermissionMode.EDITS, **lists: tuple[str, ...]) -> World:
    rules = PermissionRules(mode, **lists)
    return world_of(task("a", brief=Brief("claude", "claude", permissions=rules)))


def question(tool: str, *touches: str, edits: bool = False) -> PermissionAsked:
    return PermissionAsked(A, 1, "q", tool, f"{tool} it", touches, edits=edits)


def verdict(world: World, asked: PermissionAsked) -> Verdict | None:
    """Return the answer that needs no person."""
    world.run("a")
    answers = [one for one in world.send(asked) if isinstance(one, AnswerAgent)]
    return answers[0].verdict if answers else None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest -q", Verdict.ALLOW_ONCE),
        ("pytest -q; rm -rf /", None),
        ("pytest $(touch x)", None),
        ("git push origin", Verdict.DENY),
        ("git push", Verdict.DENY),
        ("cd src && git push origin", Verdict.DENY),
        ("echo $(git push origin)", Verdict.DENY),
        ("git pushy", None),
        ("make", None),
    ],
)
def test_rules_answer_for_commands_but_not_for_a_second_one_behind_it(
    command: str, expected: Verdict | None
) -> None:
    world = ruled(allow=("Bash(pytest *)",), deny=("Bash(git push *)",))

    assert verdict(world, question("Bash", command)) is expected


@pytest.mark.parametrize("tool", ["Edit", "Write", "NotebookEdit"])
def test_a_rule_for_edits_holds_whatever_the_agent_calls_the_tool(tool: str) -> None:
    denying = ruled(deny=("Edit(src/*)",))
    assert verdict(denying, question(tool, "src/a.py", edits=True)) is Verdict.DENY

    allowing = ruled(PermissionMode.ASK, allow=("Write(docs/*)",))
    assert verdict(allowing, question(tool, "docs/a.md", edits=True)) is Verdict.ALLOW_ONCE


def test_edits_of_the_own_checkout_need_no_question_unless_the_mode_asks() -> None:
    edit = question("Edit", "/ws/a/x.py", edits=True)

    assert verdict(ruled(), edit) is Verdict.ALLOW_ONCE
    assert verdict(ruled(PermissionMode.ASK), edit) is None
    assert verdict(ruled(), question("Edit", "/etc/passwd")) is None
    assert verdict(ruled(PermissionMode.ALL), question("Bash", "make; make install")) is (
        Verdict.ALLOW_ONCE
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (question("Bash", "git  push x"), Verdict.DENY),
        (question("bash", "git push"), Verdict.DENY),
        (question("Bash", "$X foo"), None),
        (question("Bash"), Verdict.DENY),
        (question("Tool"), Verdict.DENY),
        (question("Tool", "/ws/a/x.py"), Verdict.DENY),
        (question("", "ls"), Verdict.DENY),
        (question("mcp__shell__run", "git push x"), Verdict.DENY),
        (question("mcp__github__search", "git"), Verdict.ALLOW_ONCE),
        (question("Bash", "make"), Verdict.ALLOW_ONCE),
        (question("Read", "git push"), Verdict.ALLOW_ONCE),
    ],
)
def test_a_rule_that_cant_be_checked_denies_whatever_the_mode(
    asked: PermissionAsked, expected: Verdict | None
) -> None:
    assert verdict(ruled(PermissionMode.ALL, deny=("Bash(git push *)",)), asked) is expected


def test_a_tool_that_nobody_names_may_be_used_where_no_rule_denies() -> None:
    assert verdict(ruled(PermissionMode.ALL), question("Tool")) is Verdict.ALLOW_ONCE
    assert verdict(ruled(), question("Tool")) is None


def test_what_is_uncertain_is_asked_unless_that_very_line_is_allowed() -> None:
    deny = ("Bash(git push *)",)
    assert verdict(
        ruled(PermissionMode.ALL, allow=("Bash",), deny=deny), question("Bash", "$X")
    ) is (None)
    written = ruled(allow=("Bash($X)",), deny=deny)
    assert verdict(written, question("Bash", "$X")) is Verdict.ALLOW_ONCE


@pytest.mark.parametrize(
    ("rule", "tool", "touched"),
    [
        ("Edit(src/*)", "Edit", "src/a.py"),
        ("Edit(./src/**)", "Write", "src/deep/a.py"),
        ("Edit(/src/**)", "Edit", "src/a.py"),
        ("Edit(src/)", "Edit", "src/a.py"),
        ("Edit(src)", "Edit", "src/a.py"),
        ("Read(**/.env)", "Read", ".env"),
        ("Read(~/.ssh/*)", "Read", "/home/me/.ssh/id"),
        ("Read(.env)", "Grep", ".env"),
        ("read(.env)", "Read", ".env"),
        ("WebFetch(domain:example.org)", "WebFetch", "https://example.org/x"),
        ("mcp__git", "mcp__git__push", "x"),
        ("Edit(src/*)", "Edit", ""),
    ],
)
def test_a_rule_about_paths_holds_however_it_is_written(rule: str, tool: str, touched: str) -> None:
    asked = question(tool, *filter(None, [touched]), edits=True)
    assert verdict(ruled(PermissionMode.ALL, deny=(rule,)), asked) is Verdict.DENY


def test_an_allowed_path_is_no_way_out_of_its_folder() -> None:
    world = ruled(PermissionMode.ASK, allow=("Edit(docs/*)",))

    assert verdict(world, question("Edit", "docs/../src/b.py", edits=True)) is None


def test_who_promised_to_change_nothing_may_not_edit() -> None:
    brief = Brief("claude", "claude", permissions=PermissionRules(PermissionMode.ALL))
    world = world_of(task("a", writes=(), brief=brief))

    assert verdict(world, question("Edit", "/ws/a/x.py", edits=True)) is Verdict.DENY


def test_all_that_is_touched_has_to_be_allowed() -> None:
    world = ruled(PermissionMode.ASK, allow=("Edit(docs/*)",))

    assert verdict(world, question("Edit", "docs/a.md", "src/b.py")) is None


@pytest.mark.parametrize(
    ("brief", "provider"),
    [
        (Brief("mine", "acp", provider="claude"), "claude"),
        (Brief("mine", "codex"), "codex"),  # as older versions recorded them
        (Brief("claude-mine", "acp"), "claude"),
        (Brief("mine", "acp"), "mine"),
    ],
)
def test_whose_model_a_task_uses(brief: Brief, provider: str) -> None:
    assert task("a", brief=brief).provider == provider
    assert task("a").provider == ""


def test_a_refusing_provider_holds_its_own_agents_and_nobody_else() -> None:
    other = task("c", argv=("codex-acp",), brief=Brief("mine", "acp", provider="codex"))
    world = world_of(agent("a"), agent("b"), other, task("d"), slots=1)
    world.run("a")
    world.send(AgentLimited(A, 1, 30.0, "429"))
    world.finish("a")
    assert world.running() == {"c"}  # b is next in the queue, and its provider refuses
    world.finish("c")
    world.finish("d")

    assert world.task("b").wait is not None
    assert world.task("b").wait.cause is WaitCause.LIMIT  # type: ignore[union-attr]
    said = activity(world.state, world.task("b"), world.now, StartQueue())
    assert said == "Waits for the rate limit of claude, 0:30 to go"
    assert next_deadline(world.state) == world.now + 30.0

    world.now += 30.0
    world.send(TimePassed())
    assert world.running() == {"b"}
    assert world.state.conflicts == ()  # there was no conflict


def test_the_wait_for_a_provider_has_its_own_line_in_the_figures() -> None:
    world = world_of(agent("a"))
    world.run("a")
    world.exit("a", 1, FailureKind.LIMIT)
    world.capture("a")
    retry_at = world.task("a").retry_at
    assert retry_at is not None
    world.now = retry_at
    world.send(TimePassed())

    history = read_history(world.events)
    assert {cause for cause, seconds in history.tasks[A].waits.items() if seconds} == {"limit"}


def test_a_refusal_costs_no_try_and_the_wait_grows() -> None:
    world = world_of(agent("a"), max_retries=0)
    waits = []
    for attempt in range(1, 4):
        world.exit("a", 1, FailureKind.LIMIT)
        world.capture("a")
        assert world.phase("a") is Phase.BACKOFF
        retry_at = world.task("a").retry_at
        assert retry_at is not None
        waits.append(retry_at - world.now)
        world.now = retry_at
        world.send(TimePassed())
        assert world.task("a").attempt == attempt + 1

    assert world.task("a").failures == 0
    assert 10 < waits[0] < waits[1] < waits[2]


def test_a_limit_is_forgotten_once_the_provider_answers() -> None:
    world = world_of(agent("a"), agent("b"))
    world.run("a")
    world.send(AgentLimited(A, 1, 5.0, "429"))
    assert world.state.limits[0].hits == 1
    world.now += 5
    world.send(AgentSpent(A, 1, 100, None, 1))

    assert world.state.limits == ()


def test_a_provider_is_left_alone_for_a_second_at_least() -> None:
    world = world_of(agent("a"))
    world.run("a")

    world.send(AgentLimited(A, 1, 0.0, "429"))

    assert [limit.until for limit in world.state.limits] == [world.now + 1]


def test_refusals_of_one_provider_at_one_time_count_as_one() -> None:
    world = world_of(agent("a"), agent("b"))
    for name in (A, B):
        world.run(name)
        world.send(AgentLimited(name, 1, 30.0, "429"))
    assert [limit.hits for limit in world.state.limits] == [1]

    world.now += 30
    world.send(AgentLimited(A, 1, 30.0, "429"))
    assert [limit.hits for limit in world.state.limits] == [2]


def test_what_each_attempt_spends_counts_though_reports_are_numbered_anew() -> None:
    world = world_of(agent("a", retries=1))
    for attempt in (1, 2):
        world.run("a")
        world.send(AgentSpent(A, attempt, 100, 0.25, 1))
        world.exit("a", 1)
        world.capture("a")
        world.now = world.task("a").retry_at or world.now
        world.send(TimePassed())

    assert (world.task("a").tokens, world.task("a").cost_usd) == (200, 0.5)


def test_an_agent_comes_back_to_its_place_past_an_attempt_that_got_none() -> None:
    world = world_of(agent("a", retries=2))
    world.run("a")
    for attempt, failure in ((1, FailureKind.EXIT), (2, FailureKind.PREPARE)):
        world.send(AgentExited(A, attempt, 1, world.now, failure, "disk full"))
        world.capture("a")
        world.now = world.task("a").retry_at or world.now
        world.send(TimePassed())

    assert (world.task("a").attempt, world.task("a").near) == (3, "/ws/a")


def test_what_was_spent_counts_once_however_often_it_is_told() -> None:
    world = world_of(agent("a"))
    world.run("a")
    for number in (1, 2, 1, 2):
        world.send(AgentSpent(A, 1, 100, 0.25, number))

    assert (world.task("a").tokens, world.task("a").cost_usd) == (200, 0.5)


def test_a_budget_holds_agents_until_a_person_extends_it() -> None:
    world = world_of(agent("a"), agent("b", "a"), task("c", "a"), budget_usd=1.0)
    world.run("a")
    world.send(AgentSpent(A, 1, 100, 1.5, 1))
    world.finish("a")

    assert world.running() == {"c"}  # a plain command costs nothing
    said = activity(world.state, world.task("b"), world.now, StartQueue())
    assert said == "Waits for you: the budget is used up ($1.50 of $1.00)"
    assert not is_over(world.state, attended=True)
    world.send(BudgetExtended("you"))
    assert world.running() == {"b", "c"}


def test_one_extension_is_enough_however_much_was_overdrawn() -> None:
    world = world_of(agent("a"), agent("b", "a"), budget_tokens=100)
    world.run("a")
    world.send(AgentSpent(A, 1, 44_484, None, 1))
    world.finish("a")
    world.send(BudgetExtended("you"))

    assert world.running() == {"b"}


def test_where_nobody_is_a_used_up_budget_ends_the_run_until_it_is_resumed() -> None:
    world = world_of(agent("a"), agent("b", "a"), budget_tokens=100)
    world.run("a")
    world.send(AgentSpent(A, 1, 100, None, 1))
    world.finish("a")

    assert is_over(world.state, attended=False)
    assert conclude(world.state) == (Outcome.INTERRUPTED, 130)


def test_a_refused_login_is_not_tried_again() -> None:
    world = world_of(agent("a"), max_retries=3)
    world.exit("a", 1, FailureKind.AUTH)
    world.capture("a")

    assert world.phase("a") is Phase.FAILED
    assert activity(world.state, world.task("a"), world.now, StartQueue()).startswith(
        "Not logged in:"
    )


def test_a_failed_gate_goes_back_to_the_agent_with_its_output_and_its_work() -> None:
    world = world_of(agent("a"), verify=True, max_retries=1, gate_retries=0)
    world.exit("a")
    world.capture("a", "x.py")
    world.merge("a")
    candidate = world.task("a").candidate
    assert candidate is not None
    for commit, passed in ((candidate, False), (BASE, True)):
        world.send(GateFinished(A, 1, commit, passed, 1.0, "check", "E: x is broken"))

    entry = world.task("a")
    assert (entry.phase, entry.attempt, entry.seed) == (Phase.STARTING, 2, candidate)
    assert "E: x is broken" in entry.lesson

    world.exit("a")
    world.capture("a", "x.py")
    world.merge("a")
    again = world.task("a").candidate
    assert again is not None
    world.send(GateFinished(A, 2, again, False, 1.0, "check", "E: still"))
    assert world.phase("a") is Phase.FAILED


def test_a_conflict_goes_back_to_the_agent_with_both_changes() -> None:
    world = world_of(agent("a"), task("b"))
    for name in ("a", "b"):
        world.exit(name)
        world.capture(name, "x.py")
    world.land("a")
    met = MergeConflicted(B, 1, CommitId("c" * 40), (ConflictPath("x.py"),), (A,))
    world.send(met)
    assert world.task("b").lesson == ""  # a command begins anew

    other = world_of(agent("a"))
    other.exit("a")
    other.capture("a", "x.py")
    other.send(MergeConflicted(A, 1, CommitId("c" * 40), (ConflictPath("x.py"),), (B,)))
    lesson = other.task("a").lesson
    assert "x.py was changed meanwhile (from b)" in lesson
    assert "git diff bbbbbbb ccccccc -- x.py" in lesson


def test_an_agent_goes_on_where_it_was_interrupted() -> None:
    world = world_of(agent("a"))
    world.run("a")
    world.exit("a", 1, FailureKind.LOST)
    world.capture("a", "x.py")
    entry = world.task("a")

    assert "Your last attempt failed" in entry.lesson
    assert entry.seed == entry.work
    retry_at = entry.retry_at
    assert retry_at is not None
    world.now = retry_at
    world.send(TimePassed())
    assert world.task("a").near == "/ws/a"


def test_the_first_pause_of_an_agent_is_gentle_and_the_second_is_not() -> None:
    world = world_of(agent("a"))
    slot = world.task("a").slot
    assert slot is not None
    world.send(AgentStarted(A, 1, slot, 7, world.now, listens=True))

    assert world.send(PauseRequested(A, "you")) == (PauseAgent(A, 1, gently=True),)
    assert (
        activity(world.state, world.task("a"), world.now, StartQueue()) == "Pausing after this step"
    )
    assert world.send(PauseRequested(A, "you")) == (PauseAgent(A, 1),)
    assert world.send(ResumeRequested(A, "you")) == (ResumeAgent(A, 1),)  # before the pause


def test_a_paused_agent_is_adopted_without_a_word_to_it() -> None:
    world = world_of(agent("a"))
    slot = world.task("a").slot
    assert slot is not None
    world.send(AgentStarted(A, 1, slot, 7, world.now, listens=True))
    world.send(PauseRequested(A, "you"), AgentPaused(A, 1))

    (adopt,) = world.send(RunAdopted(99, "pex", keep_pauses=True))
    assert adopt.held  # type: ignore[union-attr]


def test_a_run_that_is_resumed_may_use_its_budget_once_more() -> None:
    world = world_of(agent("a"), agent("b"), slots=1, budget_tokens=100)
    world.run("a")
    world.send(AgentSpent(A, 1, 100, None, 1))
    world.send(AgentExited(A, 1, 0, world.now))
    world.capture("a")
    world.send(RunFinished(*conclude(world.state)))
    world.send(RunAdopted(99, "you"))
    assert world.running() == {"b"}
