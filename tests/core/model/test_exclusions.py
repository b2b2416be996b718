"""Pairs of tasks that exclude each other."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.model.exclusions import (
    exclusion_reason,
    pairs_to_compare,
    predicted_exclusion_reason,
)
from pex_tui.core.model.ids import AgentName, TaskId
from pex_tui.core.model.plan import Plan, PredictedConflict, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from tests.core.world import task

GLOBS = st.lists(
    st.sampled_from(
        ("src/a.py", "src/", "src/*.py", "**", "src", "docs/x", "*", "a/b/c", "a", "./a")
    ),
    max_size=2,
).map(tuple)
RULES = st.sampled_from(
    ((), (("release", "@writes"),), (("keeper", "keeper"),), (("@writes", "@writes"),))
)


@st.composite
def specs(draw: st.DrawFn) -> tuple[TaskSpec, ...]:
    return tuple(
        task(
            f"t{number}",
            agent=draw(st.sampled_from((None, AgentName("release"), AgentName("keeper")))),
            writes=draw(st.none() | GLOBS),
            predicted_writes=draw(GLOBS),
        )
        for number in range(draw(st.integers(0, 6)))
    )


@given(specs(), RULES)
def test_no_two_tasks_that_conflict_are_left_out(
    tasks: tuple[TaskSpec, ...], never: tuple[tuple[str, str], ...]
) -> None:
    rules = RunRules(never=never)
    compared = pairs_to_compare(tasks, rules)

    conflicting = {
        (first, second)
        for first, second in combinations(range(len(tasks)), 2)
        if exclusion_reason(tasks[first], tasks[second], rules) is not None
    }
    assert conflicting <= set(compared)
    assert all(first < second for first, second in compared)


def test_tasks_that_write_apart_are_not_compared() -> None:
    tasks = tuple(task(f"t{number}", writes=(f"src/f{number}.py",)) for number in range(50))

    assert pairs_to_compare(tasks, RunRules()) == []


def is_excluded(first: TaskSpec, second: TaskSpec, chance: float = 0.6, **rules: object) -> bool:
    """Return whether the graph keeps two predicted conflicts apart."""
    predicted = PredictedConflict(first.id, second.id, chance, "both will probably change x.py")
    plan = Plan((first, second), collisions=(predicted,))
    return bool(PlanGraph.build(plan, RunRules(**rules)).excluded[0])  # type: ignore[arg-type]  # keywords of one test each


def test_a_predicted_conflict_excludes_a_pair_from_the_threshold_on() -> None:
    a, b = task("a", writes=None), task("b", writes=None)
    assert is_excluded(a, b, 0.2)
    assert not is_excluded(a, b, 0.19)
    assert not is_excluded(a, b, 0.6, collision_threshold=0.7)


def test_the_reason_of_a_predicted_conflict_says_how_probable_it_is() -> None:
    predicted = PredictedConflict(TaskId("a"), TaskId("b"), 0.625, "both will probably change x.py")
    a, b = task("a", writes=None), task("b", writes=None)
    assert predicted_exclusion_reason(predicted, a, b, RunRules()) == (
        "both will probably change x.py (62%)"
    )


def test_what_both_declare_outranks_what_was_predicted() -> None:
    assert not is_excluded(task("a", writes=("a.py",)), task("b", writes=("b.py",)))
    assert is_excluded(task("a", writes=("a.py",)), task("b", writes=None))


def test_a_cluster_or_the_author_lifts_what_was_predicted() -> None:
    coder = AgentName("coder")
    a, b = (task(name, writes=None, agent=coder) for name in ("a", "b"))
    assert not is_excluded(a, b, clusters=(("coder", "tester"),))
    assert not is_excluded(task("a", writes=None, beside=(TaskId("b"),)), task("b", writes=None))


def test_the_author_lifts_a_declared_overlap_and_no_rule() -> None:
    a = task("a", writes=("x.py",), agent=AgentName("release"))
    b = task("b", writes=("x.py",), beside=(TaskId("a"),))
    assert exclusion_reason(a, b, RunRules()) is None
    assert exclusion_reason(a, b, RunRules(never=(("release", "@writes"),))) is not None


def test_an_overlap_is_told_with_its_chance_where_one_is_known_and_a_rule_without() -> None:
    told = PredictedConflict(TaskId("a"), TaskId("b"), 0.31, "alike")
    pair = tuple(task(name, writes=("x",), agent=AgentName("release")) for name in "ab")
    plan = Plan(pair, collisions=(told,))
    never = RunRules(never=(("release", "release"),))

    assert PlanGraph.build(plan, RunRules()).excluded[0][1] == "both write x (31%)"
    assert PlanGraph.build(plan, never).excluded[0][1] == "release never runs beside release"


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("**/*.py", "README.md", None),
        ("src/**", "src/**", "both write src/**"),
        ("*.md", "README.md", "both write README.md (*.md)"),
        ("src/**/*.py", "src/api/**", "both write src/**/*.py and src/api/**, as in src/api/x.py"),
    ],
)
def test_declared_globs_keep_tasks_apart_only_where_a_path_is_in_both(
    first: str, second: str, reason: str | None
) -> None:
    a, b = task("a", writes=(first,)), task("b", writes=(second,))

    assert exclusion_reason(a, b, RunRules()) == reason
