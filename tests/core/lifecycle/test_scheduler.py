from collections.abc import Callable

import pytest

from pex_tui.core.consequences import next_deadline
from pex_tui.core.events.run_events import BoostRequested, BoostToggled, SlotsRequested, TimePassed
from pex_tui.core.model.conflict import ConflictKind
from pex_tui.core.model.ids import AgentName, LockName, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import LockMode, LockRequest, Priority, Strategy
from pex_tui.core.model.task_state import WaitCause
from tests.core.world import World, shipped, task

Make = Callable[..., World]


def lock(name: str, mode: LockMode = LockMode.EXCLUSIVE) -> tuple[LockRequest, ...]:
    return (LockRequest(LockName(name), mode),)


def test_never_more_tasks_run_than_there_are_slots(world: Make) -> None:
    run = world(*(task(f"t{number}") for number in range(9)))

    assert len(run.running()) == 5


def test_boost_opens_eight_slots_and_ending_it_drains_to_five(world: Make) -> None:
    run = world(*(task(f"t{number}") for number in range(12)))

    run.send(BoostToggled("you"))
    assert len(run.running()) == 8

    run.send(BoostToggled("you"))
    assert len(run.running()) == 8
    for name in sorted(run.running())[:4]:
        run.finish(name)
    assert len(run.running()) == 5


def test_slots_can_be_set_between_one_and_thirty_two(world: Make) -> None:
    run = world(task("a"))

    run.send(SlotsRequested(0, "you"))
    assert run.state.capacity == 1
    run.send(SlotsRequested(99, "you"))
    assert run.state.capacity == 32


def test_the_longest_chain_starts_first(world: Make) -> None:
    fillers = [task(f"f{number}", estimate_seconds=10) for number in range(5)]
    chain = [
        task("c1", estimate_seconds=10),
        task("c2", "c1", estimate_seconds=10),
        task("c3", "c2", estimate_seconds=10),
    ]
    run = world(*fillers, *chain, rules=shipped(slots=1))

    assert run.running() == {"c1"}


def test_a_slot_is_kept_for_what_comes_after_a_reader_that_is_looked_at(world: Make) -> None:
    run = world(
        task("c1", writes=(), estimate_seconds=10),
        task("c2", "c1", writes=(), estimate_seconds=90),
        *(task(f"f{number}", writes=(), estimate_seconds=10) for number in range(3)),
        rules=shipped(slots=2),
    )
    assert run.running() == {"c1", "f0"}

    run.exit("c1")
    assert run.running() == {"f0"}
    run.capture("c1")

    assert run.running() == {"c2", "f0"}


def test_no_slot_is_kept_for_what_comes_after_a_failure(world: Make) -> None:
    run = world(
        task("c1", writes=(), estimate_seconds=10, retries=0),
        task("c2", "c1", writes=(), estimate_seconds=90),
        task("f", writes=(), estimate_seconds=10),
        rules=shipped(slots=1),
    )
    run.exit("c1", code=1)

    assert run.running() == {"f"}


def test_priority_goes_before_rank_and_a_boosted_task_before_all(world: Make) -> None:
    run = world(
        task("long", estimate_seconds=900),
        task("urgent", priority=Priority.CRITICAL),
        task("low", priority=Priority.LOW),
        rules=shipped(slots=1),
    )
    assert run.running() == {"urgent"}

    run.send(BoostRequested(TaskId("low"), "you"))
    run.finish("urgent")
    assert run.running() == {"low"}


def test_declared_overlaps_are_serialised_until_the_first_has_landed(world: Make) -> None:
    run = world(task("a", writes=("src/**",)), task("b", writes=("src/api.py",)))
    assert run.running() == {"a"}
    wait = run.task("b").wait
    assert wait is not None
    assert (wait.cause, wait.on) == (WaitCause.EXCLUDED, ("a",))

    run.exit("a")
    run.capture("a", "src/api.py")
    assert run.phase("b") is Phase.READY

    run.land("a")
    assert run.running() == {"b"}
    (conflict,) = run.state.conflicts
    assert conflict.kind is ConflictKind.WRITE
    assert "both write" in conflict.detail


def test_unknown_write_sets_run_side_by_side(world: Make) -> None:
    run = world(task("a"), task("b"))

    assert run.running() == {"a", "b"}


@pytest.mark.parametrize(
    ("priority", "running"), [(Priority.HIGH, {"a"}), (Priority.NORMAL, {"a", "n"})]
)
def test_an_urgent_task_that_is_held_back_holds_back_its_less_urgent_neighbours(
    world: Make, priority: Priority, running: set[str]
) -> None:
    run = world(
        task("a", writes=("x",)),
        task("z", writes=()),
        task("u", "z", writes=("x", "y"), priority=priority, estimate_seconds=900),
        task("n", "z", writes=("y",)),
    )
    run.finish("z")

    assert run.running() == running  # n would be in u's way once a has landed


def test_boost_takes_no_slot_away_where_there_are_more_than_it_opens(world: Make) -> None:
    run = world(task("a"))
    run.send(SlotsRequested(20, "you"))

    run.send(BoostToggled("you"))

    assert run.state.capacity == 20


def test_whoever_was_told_of_a_neighbour_is_told_that_only_a_slot_is_lacking_now(
    world: Make,
) -> None:
    run = world(
        task("a", writes=("x",), priority=Priority.CRITICAL),
        task("b", writes=("x",), priority=Priority.HIGH),
        task("c", writes=("y",)),
        task("d", "a", writes=("z",), priority=Priority.CRITICAL),
        rules=shipped(slots=2),
    )
    assert run.running() == {"a", "c"}
    run.finish("a", "x")

    assert run.running() == {"c", "d"}
    wait = run.task("b").wait
    assert wait is not None
    assert wait.cause is WaitCause.SLOT


def test_a_number_of_slots_that_a_person_asks_for_ends_a_boost(world: Make) -> None:
    run = world(task("a"))
    run.send(BoostToggled("you"), SlotsRequested(3, "you"))
    assert run.state.capacity == 3

    run.send(BoostToggled("you"))

    assert run.state.capacity == run.state.rules.emergency_slots


def test_a_predicted_overlap_serialises_unless_both_are_of_one_cluster(world: Make) -> None:
    rules = shipped(clusters=(("x", "y"),))
    loose = {"predicted_writes": ("src/a.py",)}
    apart = world(task("a", **loose), task("b", **loose), rules=rules)
    together = world(
        task("a", agent=AgentName("x"), **loose),
        task("b", agent=AgentName("y"), **loose),
        rules=rules,
    )

    assert apart.running() == {"a"}
    assert together.running() == {"a", "b"}


def test_a_cluster_never_lifts_a_declared_overlap(world: Make) -> None:
    rules = shipped(clusters=(("x", "y"),))
    run = world(
        task("a", agent=AgentName("x"), writes=("one",)),
        task("b", agent=AgentName("y"), writes=("one",)),
        rules=rules,
    )

    assert run.running() == {"a"}


def test_never_parallel_rules_hold_for_pairs_and_for_all_writers(world: Make) -> None:
    rules = shipped(
        never=(("release", "@writes"), ("keeper", "keeper"), ("meta", "factory")),
    )
    run = world(
        task("r", agent=AgentName("release"), priority=Priority.HIGH),
        task("w", writes=("x",)),
        task("reader", writes=()),
        task("k1", agent=AgentName("keeper"), writes=()),
        task("k2", agent=AgentName("keeper"), writes=()),
        rules=rules,
    )

    assert run.running() == {"r", "reader", "k1"}


def test_an_exclusive_lock_has_one_holder_and_a_shared_one_many(world: Make) -> None:
    run = world(
        task("s1", locks=lock("db", LockMode.SHARED), estimate_seconds=300),
        task("s2", locks=lock("db", LockMode.SHARED), estimate_seconds=200),
        task("x", locks=lock("db"), estimate_seconds=100),
    )
    assert run.running() == {"s1", "s2"}
    wait = run.task("x").wait
    assert wait is not None
    assert wait.on == ("db", "s1", "s2")

    run.finish("s1")
    run.finish("s2")
    assert run.running() == {"x"}


def test_a_lock_is_owed_to_the_task_that_waited_longer_than_the_timeout(world: Make) -> None:
    shared = {"locks": lock("db", LockMode.SHARED), "estimate_seconds": 500}
    run = world(
        task("s0", **shared),
        task("s1", **shared),
        task("s2", "s0", **shared),
        task("x", locks=lock("db")),
    )
    deadline = next_deadline(run.state)
    assert deadline is not None
    run.now = deadline
    run.send(TimePassed())

    run.finish("s0")
    assert run.running() == {"s1"}
    run.finish("s1")

    assert run.running() == {"x"}
    assert [conflict.kind for conflict in run.state.conflicts] == [ConflictKind.RESOURCE]


def test_a_lock_is_owed_to_nobody_who_does_not_want_it(world: Make) -> None:
    run = world(
        task("x", locks=lock("cache")),
        task("z", writes=()),
        task("u", "z", locks=lock("cache"), priority=Priority.CRITICAL),
        task("n", "z", locks=lock("db")),
    )
    run.finish("z")

    assert run.running() == {"x", "n"}


def test_a_sequential_plan_runs_one_task_at_a_time(world: Make) -> None:
    run = world(task("a"), task("b"), strategy=Strategy.SEQUENTIAL)

    assert len(run.running()) == 1


def test_a_stage_starts_when_every_earlier_one_has_ended(world: Make) -> None:
    run = world(
        task("a", stage=1),
        task("b", stage=1, retries=0),
        task("c", stage=2),
        strategy=Strategy.STAGES,
    )
    run.finish("a")
    assert run.phase("c") is Phase.WAITING

    run.exit("b", code=1)
    run.capture("b")
    assert run.running() == {"c"}


def test_a_task_of_a_stage_before_its_needs_is_of_theirs(world: Make) -> None:
    run = world(task("a", stage=2), task("b", "a", stage=1), strategy=Strategy.STAGES)

    assert run.state.graph.stages == (2, 2)
    run.finish("a")
    assert run.running() == {"b"}


def test_of_equals_the_one_that_is_ready_goes_before_one_that_will_be(world: Make) -> None:
    run = world(
        task("r", writes=(), estimate_seconds=60, priority=Priority.HIGH),
        task("d", "r", estimate_seconds=60),
        task("f", estimate_seconds=60),
        rules=shipped(slots=1),
    )
    run.exit("r")

    assert run.running() == {"f"}


def test_a_task_that_is_switched_off_counts_as_done(world: Make) -> None:
    run = world(task("a"), task("b", "a", enabled=False), task("c", "b"))
    assert run.running() == {"a"}

    run.finish("a")

    assert run.task("b").reason == "disabled"
    assert run.running() == {"c"}
