"""Many tasks that exclude each other: reported once for each, whatever their number."""

from collections import Counter

import pytest
from msgspec.structs import replace

from pex_tui.core.events.run_events import SlotsRequested, TaskHeld
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Plan, PredictedConflict, Priority, Strategy
from pex_tui.core.views.status_text import activity, start_queue, waits_on
from tests.core.world import SHIPPED, World, shipped, task


def run_all(world: World) -> None:
    """Land each task as it starts."""
    while at_work := [one.id for one in world.state.tasks if one.phase is Phase.STARTING]:
        for name in at_work:
            world.finish(name, f"src/{name}.py")


@pytest.mark.parametrize("count", [20, 60])
def test_tasks_with_one_glob_tell_one_conflict_and_one_wait_each(count: int) -> None:
    world = World(
        Plan(tuple(task(f"t{number}", writes=("src/**",)) for number in range(count))), SHIPPED
    )
    run_all(world)

    assert {one.phase for one in world.state.tasks} == {Phase.LANDED}
    held = Counter(event.task for event in world.events if isinstance(event, TaskHeld))
    assert set(held.values()) == {1}
    assert len(held) == len(world.state.conflicts) == count - 1
    assert {one.detail for one in world.state.conflicts} == {"both write src/**"}
    assert {one.decision for one in world.state.conflicts} == {Decision.SERIALISED}


def test_wide_globs_beside_many_files_are_told_a_bounded_number_of_times_each() -> None:
    count = 30
    wide = [task(f"w{number}", writes=("src/**",)) for number in range(count)]
    narrow = [task(f"n{number}", writes=(f"src/n{number}.py",)) for number in range(count)]
    world = World(Plan((*narrow, *wide)))
    run_all(world)

    held = Counter(event.task for event in world.events if isinstance(event, TaskHeld))
    told = Counter(one.tasks[0] for one in world.state.conflicts)
    assert max(held.values()) <= 10
    assert max(told.values()) <= 20


def test_of_a_wait_for_many_at_work_ten_changes_are_told_as_they_land() -> None:
    narrow = [task(f"n{number}", writes=(f"src/n{number}.py",)) for number in range(15)]
    wide = task("wide", writes=("src/**",), priority=Priority.LOW)
    world = World(Plan((*narrow, wide)), shipped(slots=15))
    run_all(world)

    held = [event for event in world.events if isinstance(event, TaskHeld)]
    assert [len(event.on) for event in held] == list(range(15, 5, -1))
    assert world.phase("wide") is Phase.LANDED


def test_who_is_waited_for_is_the_one_at_work_and_not_the_first_that_was_told() -> None:
    world = World(Plan(tuple(task(name, writes=("src/**",)) for name in ("a", "b", "c"))), SHIPPED)
    world.finish("a", "src/a.py")
    assert world.running() == {"b"}

    last = world.task("c")
    assert waits_on(world.state, last, start_queue(world.state)) == ("b",)
    doing = activity(world.state, last, world.now, start_queue(world.state))
    assert doing.endswith("until b has landed: both write src/**")


def test_one_by_one_after_a_conflict_names_the_writer_at_work() -> None:
    world = World(Plan((task("a"), task("b"), task("c"), task("d"))), shipped(slots=1))
    world.state = replace(world.state, sequential=True, sequential_reason="a could not land")
    world.send(SlotsRequested(3, "you"))
    world.finish("a", "a.py")

    for at_work, then in (("b", "c"), ("c", "d")):
        assert world.running() == {at_work}
        last = world.task("d")
        doing = activity(world.state, last, world.now, start_queue(world.state))
        assert doing.endswith(
            f"until {at_work} has landed: as a could not land, writers run one at a time"
        )
        world.finish(at_work, f"{at_work}.py")
        assert world.running() == {then}


def test_another_reason_to_wait_is_another_conflict() -> None:
    world = World(
        Plan(
            (
                task("a", writes=("x/**",)),
                task("b", "a", writes=("y/**",)),
                task("c", writes=("x/1", "y/1"), priority=Priority.LOW),
            )
        ),
        SHIPPED,
    )
    world.finish("a", "x/1")
    world.finish("b", "y/1")

    told = [one for one in world.state.conflicts if one.kind is ConflictKind.WRITE]
    assert [(one.tasks, one.detail) for one in told] == [
        (("c", "a"), "both write x/1 (x/**)"),
        (("c", "b"), "both write y/1 (y/**)"),
    ]


def test_a_reason_that_was_told_is_not_told_again_beside_a_new_one() -> None:
    world = World(
        Plan(
            (
                task("a", writes=("x/**",)),
                task("b", "a", writes=("x/**",)),
                task("c", writes=("x/**", "y/**"), priority=Priority.LOW),
                task("d", "a", writes=("y/**",)),
            )
        ),
        SHIPPED,
    )
    world.finish("a", "x/1")
    assert world.running() == {"b", "d"}

    told = [one for one in world.state.conflicts if one.tasks[0] == "c"]
    assert [(one.tasks, one.detail) for one in told] == [
        (("c", "a"), "both write x/**"),
        (("c", "d"), "both write y/**"),
    ]


def test_a_pair_that_only_the_plan_predicted_to_conflict_is_told_as_predicted() -> None:
    predicted = PredictedConflict(TaskId("a"), TaskId("b"), 0.9, "both change x.py")
    world = World(Plan((task("a"), task("b")), collisions=(predicted,)))
    assert world.running() == {"a"}

    (told,) = world.state.conflicts
    assert (told.predicted_at, told.overlapping_at) == (world.state.created_at, None)


def test_several_that_are_in_the_way_for_one_reason_are_one_conflict() -> None:
    world = World(
        Plan(
            (
                task("a", writes=("x/**",), beside=(TaskId("b"),)),
                task("b", writes=("x/**",)),
                task("c", writes=("x/**",), priority=Priority.LOW),
            )
        ),
        SHIPPED,
    )
    assert world.running() == {"a", "b"}

    (told,) = world.state.conflicts
    assert told.tasks == ("c", "a", "b")


def test_stages_begin_once_each_earlier_one_has_ended_in_whatever_order() -> None:
    world = World(
        Plan(
            (
                task("late", stage=3, writes=()),
                task("off", stage=2, enabled=False),
                task("bad", stage=1, writes=(), retries=0),
                task("good", stage=1, writes=()),
                task("middle", stage=2, writes=()),
            ),
            strategy=Strategy.STAGES,
        ),
        SHIPPED,
    )
    assert world.running() == {"bad", "good"}
    doing = activity(world.state, world.task("late"), world.now, start_queue(world.state))
    assert doing == "Waits for stage 2 to end"

    world.exit("bad", code=1)
    world.capture("bad")
    assert world.running() == {"good"}
    world.finish("good")
    assert world.running() == {"middle"}
    assert world.phase("off") is Phase.DONE
    world.finish("middle")
    assert world.running() == {"late"}
    world.finish("late")
    assert world.phase("late") is Phase.DONE
