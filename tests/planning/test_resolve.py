from collections.abc import Callable

import pytest

from pex_tui.core.experience import Experience, Learned, Work
from pex_tui.core.ids import AgentName
from pex_tui.core.plan import Expects, Isolation, Plan, TaskSpec
from pex_tui.planning.agents import AgentDefinition
from pex_tui.planning.context import PlanContext

AGENT = AgentDefinition(
    AgentName("tester"),
    argv=("pytest",),
    reads=("tests/**",),
    writes=(),
    estimate_seconds=300,
    timeout_seconds=600,
    memory_bytes=1000,
    cpu_cores=0.5,
    expects=Expects.CHANGES,
)
KNOWN = Experience({Work(("pytest",), "known", "tester").key: Learned(42.0, 0.1)})
CONTEXT = PlanContext(agents={AGENT.name: AGENT}, experience=KNOWN)


@pytest.fixture
def task(parse: Callable[..., Plan]) -> Callable[..., TaskSpec]:
    def one(fields: str, context: PlanContext = CONTEXT, goal: str = "") -> TaskSpec:
        plan = parse(f'goal: "{goal}"\ntasks:\n- {{{fields}}}\n', context)
        return plan.tasks[0]

    return one


def test_an_agent_gives_the_defaults_of_its_tasks(task: Callable[..., TaskSpec]) -> None:
    spec = task("id: a, agent: tester")
    assert (spec.argv, spec.reads, spec.writes) == (("pytest",), ("tests/**",), ())
    assert (spec.estimate_seconds, spec.timeout_seconds) == (300, 600)
    assert (spec.memory_bytes, spec.cpu_cores) == (1000, 0.5)


def test_the_plan_overrides_its_agent(task: Callable[..., TaskSpec]) -> None:
    spec = task("id: a, agent: tester, command: [tox], writes: [x], estimate: 1m, expects: any")
    assert (spec.argv, spec.writes, spec.estimate_seconds) == (("tox",), ("x",), 60)
    assert spec.expects is Expects.ANY


def test_a_task_that_only_reads_shares_a_checkout_and_shows_nothing(
    task: Callable[..., TaskSpec],
) -> None:
    spec = task("id: a, command: x, writes: []")
    assert (spec.isolation, spec.expects) == (Isolation.SHARED, Expects.NONE)


def test_any_other_task_gets_a_worktree_and_may_show_anything(
    task: Callable[..., TaskSpec],
) -> None:
    spec = task("id: a, command: x")
    assert (spec.writes, spec.isolation, spec.expects) == (None, Isolation.WORKTREE, Expects.ANY)


def test_asking_for_a_shared_checkout_promises_to_change_nothing(
    task: Callable[..., TaskSpec],
) -> None:
    assert task("id: a, command: x, isolation: shared").is_read_only


def test_a_reader_may_ask_for_a_worktree(task: Callable[..., TaskSpec]) -> None:
    asked = task("id: a, command: x, writes: [], isolation: worktree")
    configured = task("id: a, command: x, writes: []", PlanContext(isolation=Isolation.WORKTREE))
    assert asked.isolation is configured.isolation is Isolation.WORKTREE


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ("id: a, agent: tester, prompt: known, estimate: 7s", 7),
        ("id: a, agent: tester, prompt: known", 42),
        ("id: b, agent: tester, prompt: known", 42),
        ("id: a, agent: tester, prompt: new", 300),
        ("id: a, command: pytest, prompt: known", 60),
        ("id: new, command: x", 60),
    ],
)
def test_an_estimate_is_the_plans_then_historys_then_the_agents(
    fields: str, seconds: float, task: Callable[..., TaskSpec]
) -> None:
    assert task(fields).estimate_seconds == seconds


def test_a_commit_message_is_made_from_id_goal_and_prompt(task: Callable[..., TaskSpec]) -> None:
    spec = task("id: audit, command: x, prompt: Look closely.", goal="Harden the public API")
    assert spec.commit_message == "audit: Harden the public API\n\nLook closely."


def test_without_a_goal_the_prompt_or_the_command_says_what_was_done(
    task: Callable[..., TaskSpec],
) -> None:
    assert task("id: a, command: x, prompt: Do it").commit_message == "a: Do it\n\nDo it"
    assert task("id: a, command: make docs").commit_message == "a: make docs"
    assert task("id: a, command: [echo, a b]").commit_message == "a: echo 'a b'"


def test_a_subject_is_at_most_72_characters(task: Callable[..., TaskSpec]) -> None:
    words = task("id: a, command: x", goal="word " * 30).commit_message
    assert words.endswith("word…")
    assert 60 < len(words) <= 72
    assert len(task("id: a, command: x", goal="w" * 100).commit_message) == 72


def test_an_unknown_write_set_is_predicted_from_the_prompt(task: Callable[..., TaskSpec]) -> None:
    tracked = frozenset({"src/api/x.py", "README.md", "Makefile", "run", "src/db.py"})
    context = PlanContext(tracked=tracked)
    prompt = "prompt: 'Fix src/db.py:12, (README.md) and src/api/; run the tests, src and README'"
    spec = task(f"id: a, command: x, {prompt}", context)
    assert spec.predicted_writes == ("src/db.py", "README.md", "src/api/**")
    assert task(f"id: a, command: x, {prompt}, writes: [y]", context).predicted_writes == ()


def test_a_folder_is_predicted_only_when_written_as_a_path(task: Callable[..., TaskSpec]) -> None:
    context = PlanContext(tracked=frozenset({"tests/a.py", "docs/api/b.md"}))
    spec = task("id: a, command: x, prompt: 'add tests and docs/api/** too'", context)
    assert spec.predicted_writes == ("docs/api/**",)


def test_a_folder_with_the_name_of_a_file_is_declared_as_a_folder(
    task: Callable[..., TaskSpec],
) -> None:
    context = PlanContext(tracked=frozenset({"vendor/socket.io/index.js", "README.md"}))
    globs = "reads: [README.md], writes: [vendor/socket.io, README.md]"

    spec = task(f"id: a, command: x, {globs}", context)

    assert spec.writes == ("vendor/socket.io/", "README.md")
    assert spec.reads == ("README.md",)
