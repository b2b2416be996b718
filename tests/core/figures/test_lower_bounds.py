"""Bounds of small workloads with results known by hand."""

import itertools
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.figures.lower_bounds import busiest_lock, heaviest_clique
from pex_tui.core.model.ids import LockName
from pex_tui.core.model.plan import LockMode, LockRequest
from tests.core.world import task

DB = LockName("db")


def graph(count: int, *pairs: tuple[int, int]) -> list[Mapping[int, str]]:
    excluded: list[dict[int, str]] = [{} for _ in range(count)]
    for first, second in pairs:
        excluded[first][second] = excluded[second][first] = "both write x"
    return list(excluded)


def test_exclusive_holders_of_a_lock_add_up() -> None:
    alone = (LockRequest(DB),)

    assert busiest_lock([task("a", locks=alone), task("b", locks=alone)], [3, 4]) == 7


def test_those_that_share_a_lock_go_beside_one_another() -> None:
    shared = (LockRequest(DB, LockMode.SHARED),)
    tasks = [task("a", locks=shared), task("b", locks=shared), task("c", locks=(LockRequest(DB),))]

    assert busiest_lock(tasks, [3, 4, 10]) == 14


def test_locks_of_different_names_do_not_add_up() -> None:
    tasks = [task("a", locks=(LockRequest(DB),)), task("b", locks=(LockRequest(LockName("x")),))]

    assert busiest_lock(tasks, [3, 4]) == 4


def test_a_star_is_as_heavy_as_its_heaviest_edge() -> None:
    assert heaviest_clique(graph(4, (0, 1), (0, 2), (0, 3)), [5, 1, 2, 3]) == 8


def test_a_triangle_is_heavier_than_any_of_its_edges() -> None:
    assert heaviest_clique(graph(4, (0, 1), (1, 2), (0, 2), (2, 3)), [1, 2, 3, 4]) == 7


def test_without_exclusions_the_longest_task_is_the_bound() -> None:
    assert heaviest_clique(graph(3), [1, 5, 2]) == 5
    assert heaviest_clique([], []) == 0


def test_a_thousand_tasks_that_all_exclude_one_another_are_bounded_at_once() -> None:
    everybody = dict.fromkeys(range(1000), "both write x")
    excluded = [{key: why for key, why in everybody.items() if key != me} for me in range(1000)]

    assert heaviest_clique(excluded, [1.0] * 1000) == 1000


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=6).flatmap(
        lambda works: st.tuples(
            st.just(works),
            st.sets(
                st.sampled_from(list(itertools.combinations(range(len(works)), 2)))
                if len(works) > 1
                else st.nothing()
            ),
        )
    )
)
def test_the_clique_found_is_never_more_than_the_heaviest(
    problem: tuple[list[int], set[tuple[int, int]]],
) -> None:
    works, pairs = problem
    excluded = graph(len(works), *pairs)
    cliques = (
        group
        for size in range(1, len(works) + 1)
        for group in itertools.combinations(range(len(works)), size)
        if all(right in excluded[left] for left, right in itertools.combinations(group, 2))
    )

    assert heaviest_clique(excluded, works) <= max(
        sum(works[n] for n in group) for group in cliques
    )
