from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.model.ids import AgentName, LockName, TaskId
from pex_tui.core.model.plan import (
    Expects,
    GatePolicy,
    Isolation,
    LockMode,
    LockRequest,
    Plan,
    Priority,
    Strategy,
    TaskSpec,
)
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan
from pex_tui.planning.plan_file.writer import plan_to_yaml
from tests.planning.written_plans import as_written

CONTEXT = PlanContext(agents={AgentName("tester"): AgentDefinition(AgentName("tester"))})

_texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30
) | st.sampled_from(["yes", "null", "~", "1:30", "a: b", "# c", "- d", "line\nline", " x "])
_words = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
_globs = st.lists(_words, max_size=3).map(tuple)
_seconds = st.floats(min_value=0.001, max_value=80_000) | st.integers(1, 80_000).map(float)


@st.composite
def _specs(draw: st.DrawFn, position: int) -> TaskSpec:
    writes = draw(st.none() | _globs)
    shared = writes == ()
    choices = [Expects.NONE, Expects.ANY] if shared else list(Expects)
    return TaskSpec(
        id=TaskId(f"t{position}"),
        argv=draw(
            st.lists(_words, min_size=1).map(tuple)
            | _words.map(lambda line: ("sh", "-c", line))
            | st.just(("sh", "-c", " padded "))
        ),
        agent=draw(st.none() | st.just(AgentName("tester"))),
        prompt=draw(_texts),
        needs=tuple(TaskId(f"t{other}") for other in range(position) if draw(st.booleans())),
        reads=draw(_globs),
        writes=writes,
        locks=tuple(
            LockRequest(LockName(name), draw(st.sampled_from(LockMode)))
            for name in draw(st.lists(_words, unique=True, max_size=2))
        ),
        priority=draw(st.sampled_from(Priority)),
        estimate_seconds=draw(_seconds),
        timeout_seconds=draw(st.none() | _seconds),
        retries=draw(st.none() | st.integers(0, 100)),
        memory_bytes=draw(st.none() | st.integers(1, 2**40)),
        cpu_cores=draw(st.none() | st.floats(min_value=0.01, max_value=64)),
        env=tuple(draw(st.dictionaries(st.just("NAME"), _texts)).items()),
        isolation=Isolation.SHARED if shared else Isolation.WORKTREE,
        expects=draw(st.sampled_from(choices)),
        commit_message=draw(_words),
        enabled=draw(st.booleans()),
    )


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    return Plan(
        tasks=tuple(draw(_specs(position)) for position in range(draw(st.integers(1, 3)))),
        goal=draw(_texts),
        base=draw(st.none() | _words),
        slots=draw(st.none() | st.integers(1, 32)),
        strategy=draw(st.sampled_from([Strategy.AUTO, Strategy.PARALLEL, Strategy.SEQUENTIAL])),
        verify=draw(st.lists(st.lists(_words, min_size=1).map(tuple), max_size=2).map(tuple)),
        gate=draw(st.sampled_from(GatePolicy)),
    )


@given(_plans())
def test_a_written_plan_reads_back_as_the_same_plan(plan: Plan) -> None:
    read = parse_plan(plan_to_yaml(plan), "plan.yaml", CONTEXT)
    assert as_written(read) == as_written(plan)


def test_a_plan_is_written_as_a_person_would(parse: Callable[..., Plan]) -> None:
    plan = parse(
        """\
        goal: Harden
        verify: [[pytest, -q]]
        tasks:
          - {id: audit, command: [make, audit], writes: []}
          - {id: unit, command: pytest -q, needs: [audit], locks: [pg, cache: shared]}
        """
    )
    assert plan_to_yaml(plan) == (
        "version: 1\n"
        "goal: Harden\n"
        "verify:\n"
        "  - [pytest, -q]\n"
        "tasks:\n"
        "  - id: audit\n"
        "    command: [make, audit]\n"
        "    writes: []\n"
        "    estimate: 1m\n"
        "    isolation: shared\n"
        "    expects: none\n"
        "    commit: 'audit: Harden'\n"
        "  - id: unit\n"
        "    command: pytest -q\n"
        "    needs: [audit]\n"
        "    locks: [pg, {cache: shared}]\n"
        "    estimate: 1m\n"
        "    isolation: worktree\n"
        "    expects: any\n"
        "    commit: 'unit: Harden'\n"
    )


def test_an_agent_with_a_model_stays_one_when_its_plan_is_written() -> None:
    plan = parse_plan("tasks: [{id: t, agent: tester, prompt: Test it}]", "plan.yaml", CONTEXT)

    assert plan.tasks[0].brief is not None
    read = parse_plan(plan_to_yaml(plan), "plan.yaml", CONTEXT)
    assert as_written(read) == as_written(plan)
