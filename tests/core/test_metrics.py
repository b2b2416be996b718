"""Figures of small runs whose right answers are known by hand."""

from collections.abc import Callable

import pytest

from pex_tui.core.events import (
    AgentExited,
    AgentStarted,
    MergeConflicted,
    RunAdopted,
    RunDrainRequested,
    RunFinished,
    RunPauseRequested,
    RunResumeRequested,
    SlotsRequested,
    TimePassed,
)
from pex_tui.core.history import read_history
from pex_tui.core.ids import LockName, TaskId
from pex_tui.core.metrics import Metrics, measure, percentile
from pex_tui.core.plan import LockRequest
from pex_tui.core.rules import RunRules
from pex_tui.core.settle import next_deadline
from pex_tui.core.state import ConflictFile, Outcome
from tests.core.world import BASE, World, task

Make = Callable[..., World]


def start(run: World, *names: str) -> None:
    for name in names:
        run.run(name)


def end(run: World, seconds: float, *names: str) -> None:
    """Time passes, then the tasks end, having changed nothing."""
    run.now += seconds
    for name in names:
        run.exit(name)
        run.capture(name)


def figures(run: World) -> Metrics:
    run.send(RunFinished(Outcome.OK, 0))
    return measure(read_history(run.events))


def test_one_task_is_its_own_bound(world: Make) -> None:
    run = world(task("a"))
    start(run, "a")
    end(run, 10, "a")

    found = figures(run)

    assert (found.makespan_seconds, found.work_seconds) == (10, 10)
    assert (found.critical_path_seconds, found.lower_bound_seconds) == (10, 10)
    assert (found.speedup, found.time_savings) == (1, 0)
    assert found.parallel_efficiency == pytest.approx(1 / 5)
    assert found.efficiency_ceiling == pytest.approx(1 / 5)
    assert found.schedule_efficiency == 1
    assert found.thread_utilization == pytest.approx(1 / 5)
    assert found.conflict_rate is None


def test_work_side_by_side_is_measured_against_one_at_a_time(world: Make) -> None:
    run = world(task("a"), task("b"), rules=RunRules(slots=2))
    start(run, "a", "b")
    end(run, 10, "a", "b")

    found = figures(run)

    assert found.speedup == 2
    assert found.time_savings == 0.5
    assert found.parallel_efficiency == 1
    assert found.schedule_efficiency == 1


def test_a_chain_is_bound_by_its_critical_path(world: Make) -> None:
    run = world(task("a"), task("b", "a"), rules=RunRules(slots=2))
    start(run, "a")
    end(run, 10, "a")
    run.now += 5  # the scheduler dawdled
    start(run, "b")
    end(run, 10, "b")

    found = figures(run)

    assert found.lower_bound_seconds == 20
    assert found.schedule_efficiency == pytest.approx(20 / 25)


def test_an_exclusive_lock_is_a_bound_of_its_own(world: Make) -> None:
    locks = (LockRequest(LockName("db")),)
    run = world(task("a", locks=locks), task("b", locks=locks))
    start(run, "a")
    end(run, 10, "a")
    start(run, "b")
    end(run, 10, "b")

    found = figures(run)

    assert found.lower_bound_seconds == 20
    assert found.wait_seconds["resource"].p95 == 10


def test_tasks_that_exclude_one_another_are_a_bound_of_their_own(world: Make) -> None:
    run = world(task("a", writes=("x",)), task("b", writes=("x",)))
    start(run, "a")
    end(run, 10, "a")
    start(run, "b")
    end(run, 10, "b")

    found = figures(run)

    assert found.lower_bound_seconds == 20
    assert found.wait_seconds["conflict"].mean == 5
    assert found.conflicts_predicted == 1


def test_pauses_of_the_whole_run_do_not_count(world: Make) -> None:
    run = world(task("a"))
    start(run, "a")
    run.send(RunPauseRequested("you"))
    run.now += 100
    run.send(RunResumeRequested("you"))
    end(run, 10, "a")

    assert figures(run).makespan_seconds == 10


def test_time_between_an_interruption_and_its_resumption_does_not_count(world: Make) -> None:
    run = world(task("a"), task("b", "a"))
    start(run, "a")
    run.send(RunDrainRequested("signal"))
    end(run, 10, "a")
    run.send(RunFinished(Outcome.INTERRUPTED, 130))
    run.now += 1000
    run.send(RunAdopted(1, "you"))
    start(run, "b")
    end(run, 10, "b")

    assert figures(run).makespan_seconds == 20


def test_boosted_slots_count_for_as_long_as_they_were_there(world: Make) -> None:
    run = world(task("a"), rules=RunRules(slots=1))
    start(run, "a")
    run.now += 5
    run.send(SlotsRequested(3, "you"))
    end(run, 5, "a")

    assert figures(run).parallel_efficiency == pytest.approx(10 / 20)


def test_only_the_last_attempt_is_work_and_backoff_is_a_wait(world: Make) -> None:
    run = world(task("a"), rules=RunRules(slots=1))
    start(run, "a")
    run.now += 7
    run.exit("a", code=1)
    run.capture("a")
    deadline = next_deadline(run.state)
    assert deadline is not None
    backoff = deadline - run.now
    run.now = deadline
    run.send(TimePassed())
    start(run, "a")
    end(run, 3, "a")

    found = figures(run)

    assert found.work_seconds == 3
    assert found.wait_seconds["backoff"].mean == pytest.approx(backoff)


def test_conflicts_are_counted_against_landings(world: Make) -> None:
    run = world(task("a"), task("b"))
    run.finish("a", "x")
    run.exit("b")
    run.capture("b", "x")
    run.send(MergeConflicted(TaskId("b"), 1, BASE, (ConflictFile("x"),), (TaskId("a"),)))
    run.finish("b", "x")

    found = figures(run)

    assert found.conflict_rate == 0.5
    assert found.conflicts_missed == 1


def test_an_adopted_agent_is_not_counted_twice(world: Make) -> None:
    run = world(task("a"))
    started_at = run.now
    start(run, "a")
    entry = run.task("a")
    assert entry.slot is not None
    run.now += 5
    run.send(RunAdopted(1, "you"), AgentStarted(entry.id, 1, entry.slot, 9, started_at))
    run.now += 5
    run.send(AgentExited(entry.id, 1, 0, run.now))
    run.capture("a")
    run.send(RunFinished(Outcome.OK, 0))
    history = read_history(run.events)

    assert history.tasks[TaskId("a")].attempts == 1
    assert history.tasks[TaskId("a")].work_seconds == 10


def test_percentiles_are_by_nearest_rank() -> None:
    values = [float(number) for number in range(1, 21)]

    assert percentile(values, 0.95) == 19
    assert percentile([4.0], 0.95) == 4
