"""Which two tasks must not run side by side."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.compat import conflict_reason, pairs_to_compare
from pex_tui.core.ids import AgentName
from pex_tui.core.plan import TaskSpec
from pex_tui.core.rules import RunRules
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
        if conflict_reason(tasks[first], tasks[second], rules) is not None
    }
    assert conflicting <= set(compared)
    assert all(first < second for first, second in compared)


def test_tasks_that_write_apart_are_not_compared() -> None:
    tasks = tuple(task(f"t{number}", writes=(f"src/f{number}.py",)) for number in range(50))

    assert pairs_to_compare(tasks, RunRules()) == []
