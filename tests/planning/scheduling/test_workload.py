import itertools

from hypothesis import given
from hypothesis import strategies as st

from pex_tui.planning.scheduling.generation import Generator
from pex_tui.planning.scheduling.timetable_search import best_timetable, lower_bound
from pex_tui.planning.scheduling.workload import (
    Timetable,
    Workload,
    tails,
    topological_order,
)


@st.composite
def workloads(draw: st.DrawFn, most: int = 10) -> Workload:
    count = draw(st.integers(1, most))
    before = tuple(
        tuple(other for other in range(position) if draw(st.integers(0, 3)) == 0)
        for position in range(count)
    )
    rivals: list[set[int]] = [set() for _ in range(count)]
    for left, right in itertools.combinations(range(count), 2):
        if draw(st.integers(0, 4)) == 0:
            rivals[left].add(right)
            rivals[right].add(left)
    return Workload(
        seconds=tuple(float(draw(st.integers(1, 9))) for _ in range(count)),
        before=before,
        excluded=tuple(frozenset(others) for others in rivals),
        demands=tuple(((0, 1.0), (1, float(draw(st.integers(0, 4))))) for _ in range(count)),
        capacities=(float(draw(st.integers(1, 4))), 4.0),
    )


def is_legal(work: Workload, found: Timetable) -> bool:
    """Return whether the schedule breaks no rule."""
    for position, start in enumerate(found.starts):
        if any(found.finishes[other] > start for other in work.before[position]):
            return False
        beside = [
            other
            for other in range(len(work.seconds))
            if found.starts[other] <= start < found.finishes[other]
        ]
        if any(other in work.excluded[position] for other in beside):
            return False
        for resource, capacity in enumerate(work.capacities):
            if sum(dict(work.demands[other])[resource] for other in beside) > capacity:
                return False
    return True


@given(workloads())
def test_every_generated_timetable_is_legal(work: Workload) -> None:
    keys = [(0.0, -level) for level in tails(work)]
    assert is_legal(work, Generator.of(work).parallel(keys))
    assert is_legal(work, Generator.of(work).serial(topological_order(work.before)))


@given(workloads())
def test_the_best_one_is_legal_and_not_below_the_bound(work: Workload) -> None:
    best = best_timetable(work, [0] * len(work.seconds))
    assert is_legal(work, best)
    assert best.makespan >= lower_bound(work) - 1e-9


@given(workloads(most=5))
def test_small_workloads_are_nearly_always_solved(work: Workload) -> None:
    """Some order of serial generation is optimal; the heuristic is within a third of it."""
    orders = [
        order
        for order in itertools.permutations(range(len(work.seconds)))
        if all(
            order.index(other) < order.index(position)
            for position in order
            for other in work.before[position]
        )
    ]
    optimum = min(Generator.of(work).serial(order).makespan for order in orders)
    found = best_timetable(work, [0] * len(work.seconds)).makespan
    assert optimum <= found <= optimum * 4 / 3


def test_more_urgent_tasks_start_first() -> None:
    work = Workload((5.0, 1.0), ((), ()), (frozenset(), frozenset()), (((0, 1.0),),) * 2, (1.0,))
    assert best_timetable(work, [1, 0]).starts == (1.0, 0.0)


def test_a_barrier_takes_no_slot_and_no_time() -> None:
    work = Workload(
        (3.0, 0.0, 2.0),
        ((), (0,), (1,)),
        (frozenset(), frozenset(), frozenset()),
        (((0, 1.0),), (), ((0, 1.0),)),
        (1.0,),
    )
    assert best_timetable(work, [0, 0, 0]).finishes == (3.0, 3.0, 5.0)


def test_nothing_takes_no_time() -> None:
    empty = Workload((), (), (), (), (1.0,))
    assert best_timetable(empty, []).makespan == 0
    assert lower_bound(empty) == 0


def test_what_fills_a_resource_exactly_fits_and_a_thousandth_more_does_not() -> None:
    def makespan(amount: float, count: int, capacity: float) -> float:
        uses = (((0, 1.0), (1, amount)),) * count
        rivals = (frozenset[int](),) * count
        work = Workload((1.0,) * count, ((),) * count, rivals, uses, (count + 1.0, capacity))
        return Generator.of(work).parallel([(0.0,)] * count).makespan

    for capacity in (0.7, 1.0, 3.3, 24.0 * 1024**3):
        assert makespan(capacity / 10, 20, capacity) == 2.0
        assert makespan(capacity / 3, 6, capacity) == 2.0
        assert makespan(1.001 * capacity / 10, 20, capacity) == 3.0
