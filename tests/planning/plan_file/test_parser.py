import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.model.ids import AgentName, TaskId
from pex_tui.core.model.plan import GatePolicy, Isolation, LockMode, Plan, Priority, Strategy
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.fields.declaration import SectionOf
from pex_tui.planning.fields.problems import PlanError
from pex_tui.planning.fields.schema import PlanHead, TaskFile
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan

Problems = Callable[..., list[str]]
Parse = Callable[..., Plan]

LIBRARY = PlanContext(
    agents={
        AgentName("security-agent"): AgentDefinition(AgentName("security-agent")),
        AgentName("linter"): AgentDefinition(AgentName("linter"), argv=("ruff", "check")),
    }
)

WHOLE = """\
version: 1
goal: Harden the public API
base: main
slots: 5
strategy: auto
verify: [["pytest", "-q"]]
gate: off
tasks:
  - id: audit
    agent: security-agent
    command: make audit
    prompt: Review src/api and write reports/security.md
    reads: ["src/api/**"]
    writes: ["reports/security.md"]
  - id: unit
    command: ["pytest", "-q", "tests/unit"]
    needs: [audit]
    locks: [postgres, cache: shared]
    priority: high
    estimate: 3m
    timeout: 20m
    retries: 3
    memory: 512MB
    cpu: 100%
    env: {PGDATABASE: test, PGPORT: 5432, DEBUG: on}
    isolation: auto
    expects: changes
    commit: "test: cover the API"
"""


STAGES_REVERSED = """\
strategy: stages
tasks:
  - {id: a, command: x, needs: [b]}
  - {id: b, command: x, stage: 2}
"""


def test_every_key_of_the_contract_is_read(parse: Parse) -> None:
    plan = parse(WHOLE, LIBRARY)
    audit, unit = plan.tasks
    assert (plan.goal, plan.base, plan.slots) == ("Harden the public API", "main", 5)
    assert (plan.strategy, plan.gate) == (Strategy.AUTO, GatePolicy.OFF)
    assert plan.verify == (("pytest", "-q"),)
    assert audit.argv == ("sh", "-c", "make audit")
    assert audit.agent == "security-agent"
    assert (audit.reads, audit.writes) == (("src/api/**",), ("reports/security.md",))
    assert unit.argv == ("pytest", "-q", "tests/unit")
    assert unit.needs == ("audit",)
    assert [(lock.name, lock.mode) for lock in unit.locks] == [
        ("postgres", LockMode.EXCLUSIVE),
        ("cache", LockMode.SHARED),
    ]
    assert (unit.priority, unit.retries) == (Priority.HIGH, 3)
    assert (unit.estimate_seconds, unit.timeout_seconds) == (180, 1200)
    assert (unit.memory_bytes, unit.cpu_cores) == (512 * 1024**2, 1.0)
    assert unit.env == (("PGDATABASE", "test"), ("PGPORT", "5432"), ("DEBUG", "on"))
    assert (unit.isolation, unit.commit_message) == (Isolation.WORKTREE, "test: cover the API")


def test_json_is_a_plan_as_well(parse: Parse) -> None:
    content = {"version": 1, "tasks": [{"id": "a", "command": ["true"], "env": {"N": 3}}]}
    plan = parse(json.dumps(content, indent="\t"))
    assert plan.tasks[0].env == (("N", "3"),)


def test_a_plan_for_stages_numbers_its_tasks_from_one(parse: Parse) -> None:
    plan = parse(
        "strategy: stages\ntasks:\n- {id: a, command: x}\n- {id: b, command: x, stage: 2}\n"
    )
    assert plan.strategy is Strategy.STAGES
    assert [task.stage or 1 for task in plan.tasks] == [1, 2]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("version: 2", 'plan.yaml:1: version: "2" is not known here.'),
        ("goal: [a]", "plan.yaml:1: goal: it is a list, not text. Write text."),
        ("slots: 0", 'plan.yaml:1: slots: "0" is out of range. Write a number from 1 to 32.'),
        ("slots: 99", 'plan.yaml:1: slots: "99" is out of range.'),
        ("strategy: fast", "Write one of: auto, parallel, sequential, stages."),
        ("gate: maybe", "Write one of: strict, off."),
        ("gaol: x", 'plan.yaml:1: unknown key "gaol". Did you mean "goal"?'),
        ('"": x', 'plan.yaml:1: unknown key ""'),
        ("base: --upload-pack=x", "is not a valid revision"),
        ("verify: [pytest, -q]", "it is one argv, and a list of commands is needed."),
        ("verify: [[]]", "it names no program"),
    ],
)
def test_a_mistake_at_the_top_is_told_with_its_line(
    line: str, problem: str, problems: Problems
) -> None:
    (found,) = problems(f"{line}\ntasks:\n  - {{id: a, command: x}}\n")
    assert problem in found


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "timeout: 3x",
            'task "a", timeout: "3x" is not a valid duration. Write it as 90s, 3m or 1h30m.',
        ),
        ("estimate: 0s", 'task "a", estimate: it is zero.'),
        ("memory: 512", 'task "a", memory: "512" is not a valid size. Write it as 512MB or 2GB.'),
        ("cpu: lots", 'task "a", cpu: "lots" is not a valid percentage.'),
        ("retries: x", 'task "a", retries: it takes a whole number, not "x".'),
        ("retries: -1", "Write a number of at least 0."),
        ("priority: urgent", "Write one of: critical, high, normal, low."),
        ("isolation: moon", "Write one of: auto, worktree, clone, shared."),
        ("expects: much", "Write one of: changes, none, any."),
        ("needs: b", 'task "a", needs: it is text, not a list. Write [b].'),
        ("needs: [b]", 'task "a" needs "b", which is not in the plan. Add it, or drop the need.'),
        ("needs: [a]", 'task "a" needs itself. Drop that need.'),
        ("locks: [x, x]", 'lock "x" is listed twice.'),
        ("locks: [{x: mine}]", 'lock "x" is exclusive or shared, not "mine".'),
        ("writes:", "Write [] for a task that changes nothing, or drop the key."),
        ("writes: [/etc/passwd]", '"/etc/passwd" leaves the repository.'),
        ("writes: [src/../../x]", '"src/../../x" leaves the repository.'),
        ("reads: [~/x]", '"~/x" leaves the repository.'),
        ("reads: ['C:/x']", '"C:/x" leaves the repository.'),
        ("writes: [.git/config]", "git's own folder"),
        ("writes: ['']", "it is empty."),
        ("writes: ['./']", "names no path"),
        ('writes: ["a\\\\b"]', "holds a backslash"),
        ("env: {PEX_RUN: x}", "PEX_RUN is set by pex-tui itself."),
        ("env: {a b: x}", '"a b" is not a valid variable name.'),
        ("env: [a]", "it is a list, not a mapping."),
        ("stage: 1", 'task "a" has a stage, and the plan\'s strategy is auto.'),
        ("promt: x", 'task "a": unknown key "promt". Did you mean "prompt"'),
        ("enabled: perhaps", "it takes true or false"),
        ("command: [y]", "stands here and in line 3. Keep one."),
        ("agent: scurity-agent", "is not in the library. Did you mean"),
    ],
)
def test_a_mistake_in_a_task_is_told_with_its_line(
    line: str, problem: str, problems: Problems
) -> None:
    (found,) = problems(f"tasks:\n  - id: a\n    command: x\n    {line}\n", LIBRARY)
    assert found.startswith("plan.yaml:4: ")
    assert problem in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "plan.yaml:1: the plan is empty."),
        ("just words", "plan.yaml:1: the plan is not a mapping of keys."),
        ("- a\n- b\n", "plan.yaml:1: the plan is not a mapping of keys."),
        ("goal: x\n", "plan.yaml:1: the plan has no tasks."),
        ("tasks: []\n", "plan.yaml:1: the plan has no tasks."),
        ("tasks: x\n", "plan.yaml:1: tasks is not a list."),
        ("tasks: [x]\n", "plan.yaml:1: task 1 is not a mapping of keys."),
        ("tasks: [\n", "plan.yaml:2: it is not readable YAML (column 1)"),
        ("tasks:\n- {id: a}\n", 'task "a" has neither a command nor an agent. Give it one.'),
        ("tasks:\n- {command: x}\n", 'task 1: the key "id" is missing. Add it.'),
        ("tasks:\n- {id: Big, command: x}\n", '"Big" is not a valid id.'),
        (f"tasks:\n- {{id: {'a' * 41}, command: x}}\n", "at most 40 characters"),
        ("tasks:\n- {id: a-, command: x}\n", '"a-" is not a valid id.'),
        (
            "tasks:\n- {id: a, command: x}\n- {id: a, command: x}\n",
            'plan.yaml:3: the id "a" is taken by the task in line 2. Choose another.',
        ),
        (
            "tasks:\n- {id: a, command: x, isolation: shared, writes: [b]}\n",
            "a shared checkout can't be changed",
        ),
        (
            "tasks:\n- {id: a, command: x, expects: changes, writes: []}\n",
            "expects changes and may change nothing",
        ),
        (
            STAGES_REVERSED,
            'task "a" is in stage 1 and needs "b" of stage 2, which starts later.',
        ),
    ],
)
def test_a_plan_that_is_no_plan_says_what_is_missing(
    text: str, problem: str, problems: Problems
) -> None:
    (found,) = problems(text, LIBRARY)
    assert problem in found


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('command: "{long}"', "an argument of its command has 200,000 bytes"),
        ('command: x\n    env: {{A: "{long}"}}', "the variable A has 200,002 bytes"),
        ('command: echo $PEX_PROMPT\n    prompt: "{long}"', "longer than $PEX_PROMPT can be"),
    ],
)
def test_what_the_kernel_would_not_take_is_refused(
    lines: str, problem: str, problems: Problems
) -> None:
    text = lines.format(long="x" * 200_000)
    (found,) = problems(f"tasks:\n  - id: a\n    {text}\n", LIBRARY)
    assert problem in found
    assert "128 KiB" in found


def test_a_command_may_read_a_long_prompt_from_its_file(parse: Parse) -> None:
    prompt = "x" * 200_000
    plan = parse(f'tasks: [{{id: a, command: cat $PEX_PROMPT_FILE, prompt: "{prompt}"}}]', LIBRARY)
    assert plan.tasks[0].prompt == prompt


def test_every_problem_is_told_at_once_in_the_order_of_lines(problems: Problems) -> None:
    found = problems(
        """\
        version: 3
        slots: 99
        tasks:
          - id: A
            command: x
          - id: b
            command: x
            needs: [c, nobody]
            timeout: soon
          - id: c
            needs: [b]
        """
    )
    assert [line.split(":")[1] for line in found] == ["1", "2", "4", "8", "9", "10", "11"]
    assert '"b" needs "c" needs "b"' in found[6]


def test_a_message_never_carries_an_escape_sequence(problems: Problems) -> None:
    (found,) = problems('{"tasks": [{"id": "a", "command": ["x"], "\\u001b[31mred": 1}]}')
    assert "\x1b" not in found


def _only_sh(program: str) -> str | None:
    return "/bin/sh" if program == "sh" else None


def test_an_argv_whose_program_is_nowhere_is_told(problems: Problems) -> None:
    context = PlanContext(find_program=_only_sh)
    found = problems(
        """\
        verify: [[nosuchgate]]
        tasks:
          - {id: a, command: [nosuch, -x]}
          - {id: b, command: [./scripts/x]}
          - {id: c, command: nosuch -x}
        """,
        context,
    )
    remedy = "is not on the PATH. Install it, or fix the name."
    assert found == [
        f'plan.yaml:1: verify: the program "nosuchgate" {remedy}',
        f'plan.yaml:3: task "a": the program "nosuch" {remedy}',
        'plan.yaml:4: task "b": the program "./scripts/x" is not in the repository. Fix the path.',
    ]


def test_a_program_that_another_task_writes_need_not_exist_yet(parse: Parse) -> None:
    context = PlanContext(find_program=_only_sh)
    plan = parse(
        "tasks:\n- {id: a, command: make x, writes: [bin/]}\n- {id: b, command: [./bin/x]}\n",
        context,
    )
    assert len(plan.tasks) == 2


def test_an_agent_with_a_command_runs_it(parse: Parse) -> None:
    plan = parse("tasks:\n- {id: a, agent: linter}\n", LIBRARY)
    assert plan.tasks[0].argv == ("ruff", "check")


_ids = st.sampled_from(["a", "b", "c", TaskId("d"), "E", ""])
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _ids
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
_tasks = st.dictionaries(st.sampled_from([*SectionOf(TaskFile).keys, "x"]), _values)
_plans = st.dictionaries(st.sampled_from([*SectionOf(PlanHead).keys, "x"]), _values).flatmap(
    lambda head: st.lists(_tasks, max_size=4).map(lambda tasks: head | {"tasks": tasks})
)


@given(_plans)
def test_no_plan_raises_anything_but_a_plan_error(content: object) -> None:
    with suppress(PlanError):
        parse_plan(json.dumps(content), "plan.json", LIBRARY)


@given(st.text())
def test_garbage_raises_nothing_but_a_plan_error(text: str) -> None:
    with pytest.raises(PlanError):
        parse_plan(text, "plan.yaml", PlanContext())
