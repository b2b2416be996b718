"""Costs of conflicts in small runs with results known by hand."""

from collections.abc import Callable

import pytest

from pex_tui.core.consequences import next_deadline
from pex_tui.core.events.capture_events import WorkCaptured
from pex_tui.core.events.landing_events import MergeConflicted
from pex_tui.core.events.overlap_events import OverlapSeen
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentPaused,
    ConflictDecided,
    RunPauseRequested,
    RunResumeRequested,
    TimePassed,
)
from pex_tui.core.figures.history import read_history
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import CommitId, LockName, TaskId
from pex_tui.core.model.plan import LockRequest, Plan, PredictedConflict, Priority
from pex_tui.core.model.run_rules import OverlapPolicy
from pex_tui.core.model.task_state import FailureKind
from tests.core.world import BASE, World, shipped, task

Make = Callable[..., World]
A, B = TaskId("a"), TaskId("b")
FILES = (ConflictPath("x.py"),)
SEEN = OverlapSeen(A, B, (ConflictPath("x.py", lines="3–5"),))


def costs(run: World) -> dict[int, float]:
    return read_history(run.events).costs.seconds


def meet(run: World, name: str, *against: TaskId) -> None:
    entry = run.task(name)
    run.send(MergeConflicted(entry.id, entry.attempt, run.state.tip or BASE, FILES, tuple(against)))


def work(run: World, name: str, seconds: float) -> None:
    run.run(name)
    run.now += seconds
    run.exit(name)
    run.capture(name, "x.py")


def test_a_rerun_costs_the_attempt_that_was_thrown_away_and_its_delay(world: Make) -> None:
    run = world(task("a"), rules=shipped(max_retries=3))
    work(run, "a", 10)
    meet(run, "a")
    work(run, "a", 20)
    meet(run, "a")
    due_at = next_deadline(run.state)
    assert due_at is not None
    delay, run.now = due_at - run.now, due_at
    run.send(TimePassed())

    assert costs(run) == {1: 10, 2: pytest.approx(20 + delay)}


def test_serialised_tasks_cost_the_wait_divided_among_those_waited_for(world: Make) -> None:
    run = world(
        task("a", writes=("x/**",)),
        task("b", writes=("y/**",)),
        task("c", writes=("x/1", "y/1"), priority=Priority.LOW),
    )
    run.run("a")
    run.run("b")
    run.send(RunPauseRequested("you"))
    run.now += 100  # the whole run is paused: no conflict's cost
    run.send(RunResumeRequested("you"))
    run.now += 10
    run.finish("a", "x/1")
    run.now += 6
    run.finish("b", "y/1")

    found = costs(run)
    assert {run.state.conflicts[number - 1].tasks: cost for number, cost in found.items()} == {
        ("c", "a"): 5,
        ("c", "b"): 5 + 6,
    }


def test_what_waits_for_a_person_costs_that_wait_and_a_rerun_the_attempt(world: Make) -> None:
    run = world(task("a"), rules=shipped(auto_resolve=False))
    work(run, "a", 10)
    meet(run, "a")
    run.now += 30
    run.send(ConflictDecided(A, Decision.RERUN, None, "ada"))

    assert costs(run) == {1: 40}


def test_an_edit_costs_only_the_wait(world: Make) -> None:
    run = world(task("a"), rules=shipped(auto_resolve=False))
    work(run, "a", 10)
    meet(run, "a")
    run.now += 30
    run.send(ConflictDecided(A, Decision.EDITED, run.commit(), "ada"))
    run.now += 5
    run.land("a")

    assert costs(run) == {1: 30}


def test_making_way_costs_the_time_stood_still_and_the_attempt_that_it_ended() -> None:
    run = World(
        Plan((task("a", writes=None), task("b", writes=None))), shipped(radar=OverlapPolicy.PAUSE)
    )
    run.run("a")
    run.now += 30
    run.run("b")
    run.now += 7
    run.send(SEEN, AgentPaused(B, 1))
    run.now += 20
    run.finish("a", "x.py")
    run.send(AgentExited(B, 1, None, run.now, FailureKind.SIGNAL))
    run.send(WorkCaptured(B, 1, CommitId("half"), ("x.py",)))

    assert costs(run) == {1: 20 + 7}


def test_a_warning_that_led_to_nothing_cost_nothing_known() -> None:
    run = World(Plan((task("a", writes=None), task("b", writes=None))))
    run.run("a")
    run.run("b")
    run.send(SEEN)
    run.now += 10

    assert costs(run) == {}


def test_a_wait_for_a_slot_is_no_cost_of_a_conflict() -> None:
    run = World(Plan((task("a"), task("b"))), shipped(slots=1))
    run.run("a")
    run.now += 30
    run.exit("a")
    run.capture("a", "x.py")
    run.run("b")
    meet(run, "a")  # what it did is in vain, and b has the slot
    assert run.task("a").wait is None
    run.now += 45
    run.finish("b", "y.py")

    assert costs(run) == {1: 30}


def test_a_long_wait_for_a_lock_costs_what_came_after_it_was_noticed(world: Make) -> None:
    locks = (LockRequest(LockName("db")),)
    run = world(
        task("a", locks=locks), task("b", locks=locks), rules=shipped(lock_timeout_seconds=60)
    )
    run.run("a")
    run.now += 60
    run.send(TimePassed())
    run.now += 15
    run.finish("a")

    assert costs(run) == {1: 60 + 15}


def test_an_overlap_that_then_conflicted_is_one_story() -> None:
    plan = Plan(
        (task("a", writes=None, prompt="x"), task("b", writes=None, prompt="x", beside=(A,))),
        collisions=(PredictedConflict(A, B, 0.4, "both will probably change x.py"),),
    )
    run = World(plan)
    run.run("a")
    run.run("b")
    run.now += 7
    overlapping_at = run.now
    run.send(SEEN)
    run.finish("a", "x.py")
    run.now += 5
    run.exit("b")
    run.capture("b", "x.py")
    meet(run, "b", A)

    (conflict,) = run.state.conflicts
    assert conflict.tasks == (B, A)
    assert (conflict.predicted_at, conflict.overlapping_at, conflict.conflicting_at) == (
        100,
        overlapping_at,
        run.now,
    )
    assert [(step.decision, step.at) for step in conflict.steps] == [
        (Decision.WARNED, overlapping_at),
        (Decision.RERUN, run.now),
    ]
    assert conflict.steps[0].reason == "conflict_resolution.radar is warn"
    assert costs(run) == {1: 12}


def test_what_is_met_again_with_another_is_a_story_of_its_own(world: Make) -> None:
    run = world(task("a"), task("b"), task("c"))
    run.run("b")
    for name in "ac":
        run.finish(name, "x.py")
    work(run, "b", 0)
    meet(run, "b", A)
    work(run, "b", 0)
    meet(run, "b", TaskId("c"))

    assert [conflict.tasks for conflict in run.state.conflicts] == [(B, A), (B, "c")]
    assert [conflict.number for conflict in run.state.conflicts] == [1, 2]


def test_two_sightings_met_at_once_become_one_story() -> None:
    names = ("a", "b", "c")
    run = World(Plan(tuple(task(name, writes=None) for name in names)))
    for name in names:
        run.run(name)
    run.send(SEEN, OverlapSeen(TaskId("c"), B, SEEN.paths))
    run.finish("a", "x.py")
    run.finish("c", "x.py")
    run.exit("b")
    run.capture("b", "x.py")
    meet(run, "b", A, TaskId("c"))

    (conflict,) = run.state.conflicts
    assert conflict.tasks == (B, A, "c")
    assert len(conflict.steps) == 3
