from collections.abc import Callable

import pytest

from pex_tui.core.figures.experience import Experience, Learned, TaskWork
from pex_tui.core.model.ids import AgentName
from pex_tui.core.model.plan import Expects, Isolation, Plan, TaskSpec
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.fields.problems import PlanError
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.writer import plan_to_yaml

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
KNOWN = Experience({TaskWork(("pytest",), "known", "tester").key: Learned(42.0, 0.1)})
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


TREE = frozenset({"packages/api/tool.sh", "packages/web/x.js", "README.md"})


def test_a_task_runs_where_it_says_else_where_the_plan_says_else_where_that_lies(
    parse: Callable[..., Plan],
) -> None:
    tasks = "tasks:\n- {id: a, command: x}\n- {id: b, command: x, dir: ./packages/web/}\n"
    context = PlanContext(tracked=TREE, folder="packages/api")

    def folders(text: str) -> list[str]:
        return [spec.folder for spec in parse(text, context).tasks]

    assert folders(tasks) == ["packages/api", "packages/web"]
    assert folders(f"dir: .\n{tasks}") == ["", "packages/web"]
    assert folders(f"dir: packages\n{tasks}") == ["packages", "packages/web"]
    assert [spec.folder for spec in parse(tasks, PlanContext(tracked=TREE)).tasks] == [
        "",
        "packages/web",
    ]


def test_a_program_is_looked_for_where_the_task_runs(parse: Callable[..., Plan]) -> None:
    asked: list[str] = []

    def find(program: str) -> str:
        asked.append(program)
        return program

    context = PlanContext(tracked=TREE, find_program=find, folder="packages/api")
    parse("tasks:\n- {id: a, command: [./tool.sh]}\n", context)

    assert asked == ["packages/api/tool.sh"]


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("packages/apo", 'git tracks nothing in "packages/apo"'),
        ("README.md", '"README.md" is a file or a link'),
        ("../other", "leaves the repository"),
        ("/tmp", "leaves the repository"),
        (".git/hooks", "git's own folder"),
    ],
)
def test_a_folder_that_no_workspace_has_is_refused(
    folder: str, why: str, parse: Callable[..., Plan]
) -> None:
    text = f"tasks:\n- id: a\n  command: x\n  dir: {folder}\n"
    with pytest.raises(PlanError) as refused:
        parse(text, PlanContext(tracked=TREE))

    (problem,) = refused.value.problems
    assert why in problem
    assert ":4:" in problem


def test_a_folder_that_a_task_makes_may_be_named(parse: Callable[..., Plan]) -> None:
    text = (
        "tasks:\n- {id: a, command: x, writes: [new/**]}\n"
        "- {id: b, command: x, needs: [a], dir: new}\n"
    )
    assert parse(text, PlanContext(tracked=TREE)).tasks[1].folder == "new"


def test_a_written_plan_runs_where_the_plan_did(parse: Callable[..., Plan]) -> None:
    tasks = "tasks:\n- {id: a, command: x}\n- {id: b, command: x, dir: .}\n"
    plan = parse(tasks, PlanContext(tracked=TREE, folder="packages/api"))

    again = parse(plan_to_yaml(plan), PlanContext(tracked=TREE))

    assert [spec.folder for spec in again.tasks] == ["packages/api", ""]
