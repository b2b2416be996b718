"""Figures of small runs with results known by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import asdict

from pex_tui.core.consequences import next_deadline
from pex_tui.core.events.agent_events import PermissionAsked, PermissionDecided
from pex_tui.core.events.capture_events import WorkCaptured
from pex_tui.core.events.event_codec import decode
from pex_tui.core.events.landing_events import MergeConflicted
from pex_tui.core.events.overlap_events import WritesSeen
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentPaused,
    AgentResumed,
    AgentStarted,
    AttemptReturned,
    BoostToggled,
    ConflictDecided,
    LandRequested,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    RunAdopted,
    RunDrainRequested,
    RunFinished,
    RunLanded,
    RunPauseRequested,
    RunResumeRequested,
    SlotsRequested,
    TimePassed,
)
from pex_tui.core.figures.history import read_history
from pex_tui.core.figures.metrics import Metrics, measure, percentile
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import LockName, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import (
    Brief,
    LockRequest,
    PermissionMode,
    PermissionRules,
    Strategy,
)
from pex_tui.core.model.state import Outcome
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.core.run_time import elapsed_seconds
from pex_tui.core.views.remaining_time import attempt_seconds
from tests.core.world import BASE, World, shipped, task

Make = Callable[..., World]


def start(run: World, *names: str) -> None:
    for name in names:
        run.run(name)


def end(run: World, seconds: float, *names: str) -> None:
    """Let time pass, then end the tasks without changes."""
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
    run = world(task("a"), task("b"), rules=shipped(slots=2))
    start(run, "a", "b")
    end(run, 10, "a", "b")

    found = figures(run)

    assert found.speedup == 2
    assert found.time_savings == 0.5
    assert found.parallel_efficiency == 1
    assert found.schedule_efficiency == 1


def test_a_chain_is_bound_by_its_critical_path(world: Make) -> None:
    run = world(task("a"), task("b", "a"), rules=shipped(slots=2))
    start(run, "a")
    end(run, 10, "a")
    run.now += 5  # the scheduler was slow
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


def test_tasks_seen_to_write_one_file_while_both_work_do_not_bind_a_schedule(world: Make) -> None:
    run = world(task("a", writes=("x",)), task("b", writes=("y",)))
    start(run, "a", "b")
    run.send(WritesSeen(TaskId("b"), 1, ("x",)))
    end(run, 10, "a", "b")

    found = figures(run)

    assert found.makespan_seconds == 10
    assert found.lower_bound_seconds == 10


def test_pauses_of_the_whole_run_do_not_count(world: Make) -> None:
    run = world(task("a"))
    start(run, "a")
    run.send(RunPauseRequested("you"))
    run.now += 100
    run.send(RunResumeRequested("you"))
    end(run, 10, "a")

    found = figures(run)

    assert found.makespan_seconds == 10
    assert found.work_seconds == 10  # the agent was frozen as well
    assert found.speedup == 1


def test_a_pause_of_the_only_agent_is_time_of_the_person(world: Make) -> None:
    run = world(task("a"))
    start(run, "a")
    run.send(PauseRequested(TaskId("a"), "you"), AgentPaused(TaskId("a"), 1))
    run.now += 5
    run.send(ResumeRequested(TaskId("a"), "you"), AgentResumed(TaskId("a"), 1))
    end(run, 10, "a")

    found = figures(run)

    assert (found.makespan_seconds, found.work_seconds) == (10, 10)
    assert found.person_seconds == 5
    assert found.speedup == 1


def test_a_pause_beside_other_work_is_no_work_and_no_standstill(world: Make) -> None:
    run = world(task("a"), task("b"), rules=shipped(slots=2))
    start(run, "a", "b")
    run.send(PauseRequested(TaskId("a"), "you"), AgentPaused(TaskId("a"), 1))
    end(run, 20, "b")
    run.now += 160  # only the paused one is left
    run.send(ResumeRequested(TaskId("a"), "you"), AgentResumed(TaskId("a"), 1))
    end(run, 10, "a")

    found = figures(run)

    assert (found.makespan_seconds, found.person_seconds) == (30, 160)
    assert (found.work_seconds, found.critical_path_seconds) == (30, 20)


def test_a_conflict_that_waits_for_a_person_is_their_time(world: Make) -> None:
    rules = shipped(slots=2, auto_resolve=False)
    run = world(task("a"), task("b"), task("c", "b"), rules=rules)
    start(run, "a", "b")
    run.now += 10
    run.finish("a", "x")
    run.exit("b")
    run.capture("b", "x")
    run.send(MergeConflicted(TaskId("b"), 1, BASE, (ConflictPath("x"),), (TaskId("a"),)))
    run.now += 76  # the user is deciding
    run.send(ConflictDecided(TaskId("b"), Decision.EDITED, run.commit(), "you"))
    run.land("b")
    start(run, "c")
    end(run, 10, "c")

    found = figures(run)

    assert (found.makespan_seconds, found.person_seconds) == (20, 76)
    assert found.speedup == 1.5
    assert found.schedule_efficiency == 1


def test_a_question_to_a_person_is_their_time_and_not_the_agents(world: Make) -> None:
    brief = Brief("claude", "claude", permissions=PermissionRules(PermissionMode.ASK))
    run = world(task("a", brief=brief), task("b"), rules=shipped(slots=2))
    start(run, "a", "b")
    run.now += 2
    run.send(PermissionAsked(TaskId("a"), 1, "r", "Bash", "make", ("make",), ""))
    end(run, 8, "b")
    run.now += 100
    run.send(PermissionDecided(TaskId("a"), "r", Verdict.ALLOW_ONCE, "you"))
    end(run, 3, "a")

    found = figures(run)

    assert (found.makespan_seconds, found.person_seconds) == (13, 100)
    assert found.work_seconds == 15  # 10 of b, 2 and 3 of a
    assert attempt_seconds(run.task("a"), run.now) == 5


def test_who_waits_for_a_slot_of_a_paused_agent_waits_for_the_person(world: Make) -> None:
    run = world(task("a"), task("b"), rules=shipped(slots=1))
    start(run, "a")
    run.send(PauseRequested(TaskId("a"), "you"), AgentPaused(TaskId("a"), 1))
    run.now += 180
    run.send(ResumeRequested(TaskId("a"), "you"), AgentResumed(TaskId("a"), 1))
    end(run, 10, "a")
    start(run, "b")
    end(run, 10, "b")

    found = figures(run)

    assert (found.makespan_seconds, found.person_seconds) == (20, 180)
    assert found.wait_seconds["slot"].p95 == 10


def test_the_bound_counts_the_slots_that_were_there(world: Make) -> None:
    """Boost for 5 of 25 seconds: six tasks of 10 s on 2, then 4, then 2 slots."""
    run = world(*(task(name) for name in "abcdef"), rules=shipped(slots=2, emergency_slots=4))
    start(run, "a", "b")
    run.now += 5
    run.send(BoostToggled("you"))
    start(run, "c", "d")
    run.now += 5
    run.send(BoostToggled("you"))
    end(run, 0, "a", "b")
    end(run, 5, "c", "d")
    start(run, "e", "f")
    end(run, 10, "e", "f")

    found = figures(run)

    assert found.work_seconds == 60
    assert found.makespan_seconds == 25
    assert found.lower_bound_seconds == 25  # 10 + 20 + 10 + 20 slot-seconds carry them, no sooner
    assert found.parallel_efficiency == found.efficiency_ceiling == 1
    assert found.thread_utilization == 1


def test_what_is_shown_as_elapsed_is_the_makespan(world: Make) -> None:
    run = world(task("a"), task("b", "a"))
    start(run, "a")
    run.now += 10
    run.send(RunPauseRequested("you"))
    run.now += 50
    assert elapsed_seconds(run.state, run.now) == 10
    run.send(RunResumeRequested("you"))
    run.now += 1000  # the engine is gone, and so is the agent
    run.send(RunAdopted(1, "you"), AgentExited(TaskId("a"), 1, None, run.now, FailureKind.LOST))
    assert elapsed_seconds(run.state, run.now) == 10
    run.capture("a")
    deadline = next_deadline(run.state)
    assert deadline is not None
    waited, run.now = deadline - run.now, deadline
    run.send(TimePassed())
    start(run, "a")
    end(run, 10, "a")
    start(run, "b")
    end(run, 10, "b")
    found = figures(run)
    run.now += 500

    assert found.makespan_seconds == elapsed_seconds(run.state, run.now) == 30 + waited
    assert (found.person_seconds, found.idle_seconds) == (50, 1000)


def test_what_happens_after_the_end_does_not_count(world: Make) -> None:
    run = world(task("a"))
    start(run, "a")
    end(run, 10, "a")
    run.send(RunFinished(Outcome.OK, 0))
    run.now += 1000
    run.send(LandRequested("you"))
    run.now += 1
    run.send(RunLanded("main", BASE))

    found = measure(read_history(run.events))

    assert found.makespan_seconds == 10
    assert found.parallel_efficiency == pytest.approx(1 / 5)


def test_a_task_tried_again_after_the_end_counts_without_the_time_between(world: Make) -> None:
    run = world(task("a", retries=0))
    start(run, "a")
    run.now += 10
    run.exit("a", code=1)
    run.capture("a")
    run.send(RunFinished(Outcome.FAILED, 1))
    run.now += 1000
    run.send(RetryRequested(TaskId("a"), "you"))
    start(run, "a")
    end(run, 4, "a")

    found = figures(run)

    assert (found.makespan_seconds, found.work_seconds) == (14, 4)


def test_after_a_crash_time_counts_until_the_last_agent_had_ended(world: Make) -> None:
    run = world(task("a"), task("b", "a"), rules=shipped(slots=1))
    start(run, "a")
    run.now += 5  # the engine dies; the agent keeps running for another 5 seconds
    ended_at = run.now + 5
    run.now += 1000
    run.send(RunAdopted(1, "you"), AgentExited(TaskId("a"), 1, 0, ended_at))
    run.capture("a")
    start(run, "b")
    end(run, 10, "b")

    found = figures(run)

    assert (found.makespan_seconds, found.work_seconds) == (20, 20)
    assert found.schedule_efficiency == 1
    assert found.parallel_efficiency == 1
    assert found.thread_utilization == 1


def test_an_agent_that_lives_through_a_crash_makes_all_of_the_time_count(world: Make) -> None:
    run = world(task("a"), task("b"), rules=shipped(slots=2))
    start(run, "a", "b")
    started_at, b_ended_at = run.now, run.now + 4
    run.now += 30
    entry = run.task("a")
    assert entry.slot is not None
    run.send(
        RunAdopted(1, "you"),
        AgentStarted(entry.id, 1, entry.slot, 9, started_at),
        AgentExited(TaskId("b"), 1, 0, b_ended_at),
    )
    run.capture("b")
    end(run, 10, "a")

    found = figures(run)

    assert (found.makespan_seconds, found.work_seconds) == (40, 44)
    assert found.thread_utilization == pytest.approx(44 / 80)


def test_an_agent_lost_in_a_crash_tells_nothing_of_the_time_since(world: Make) -> None:
    run = world(task("a"), rules=shipped(slots=1))
    start(run, "a")
    run.now += 1000
    run.send(RunAdopted(1, "you"), AgentExited(TaskId("a"), 1, None, run.now, FailureKind.LOST))
    run.capture("a")

    assert read_history(run.events).makespan_seconds == 0


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
    run = world(task("a"), rules=shipped(slots=1))
    start(run, "a")
    run.now += 5
    run.send(SlotsRequested(3, "you"))
    end(run, 5, "a")

    assert figures(run).parallel_efficiency == pytest.approx(10 / 20)


def test_only_the_last_attempt_is_work_and_backoff_is_a_wait(world: Make) -> None:
    run = world(task("a"), rules=shipped(slots=1))
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
    run.send(MergeConflicted(TaskId("b"), 1, BASE, (ConflictPath("x"),), (TaskId("a"),)))
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


def test_an_agent_that_still_runs_counts_until_it_was_seen_last(world: Make) -> None:
    run = world(task("a"), task("b"), rules=shipped(slots=2))
    start(run, "a", "b")
    end(run, 10, "a")

    assert measure(read_history(run.events)).work_seconds == 20


def test_a_conflict_predicted_between_disjoint_changes_is_a_false_alarm(world: Make) -> None:
    run = world(task("a", writes=("x/**",)), task("b", writes=("x/**",)), task("c"))
    run.finish("a", "x/1")
    run.finish("b", "x/2")
    run.finish("c", "x/2")

    found = figures(run)

    assert (found.conflicts_predicted, found.false_alarms) == (1, 1)


def test_tasks_that_a_need_orders_are_not_counted_as_predicted(world: Make) -> None:
    run = world(
        task("a", writes=("x",)),
        task("b", "a", writes=("x",)),
        task("c", "b", writes=("x",)),
        task("d", writes=("x",), enabled=False),
    )
    for name in ("a", "b", "c"):
        run.finish(name, "x")

    found = figures(run)

    assert (found.conflicts_predicted, found.false_alarms) == (0, 0)


def test_tasks_of_different_stages_are_not_counted_as_predicted(world: Make) -> None:
    run = world(
        task("a", writes=("x",), stage=2),
        task("b", writes=("x",), stage=1),
        strategy=Strategy.STAGES,
    )

    assert measure(read_history(run.events)).conflicts_predicted == 0


def test_every_key_of_the_contract_is_there(world: Make) -> None:
    found = measure(read_history(world(task("a")).events))

    assert set(asdict(found)) == {
        "makespan_seconds",
        "person_seconds",
        "idle_seconds",
        "work_seconds",
        "critical_path_seconds",
        "lower_bound_seconds",
        "speedup",
        "time_savings",
        "parallel_efficiency",
        "efficiency_ceiling",
        "schedule_efficiency",
        "thread_utilization",
        "wait_seconds",
        "dispatch_latency_p95_seconds",
        "conflict_rate",
        "conflicts_predicted",
        "conflicts_live",
        "conflicts_missed",
        "false_alarms",
        "conflict_precision",
        "conflict_recall",
        "write_precision",
        "write_recall",
        "tokens",
        "cost_usd",
    }


def test_an_attempt_that_never_had_a_process_is_no_work(world: Make) -> None:
    run = world(task("a", retries=1))
    start(run, "a")
    run.now += 10
    run.exit("a", 1)
    run.capture("a")
    retry_at = next_deadline(run.state)
    assert retry_at is not None
    run.now = retry_at + 30
    run.send(TimePassed())
    failed = AgentExited(TaskId("a"), 2, None, run.now, FailureKind.PREPARE, "disk full")
    run.send(failed, WorkCaptured(TaskId("a"), 2, None))

    found = measure(read_history(run.events))

    assert found.work_seconds == 10
    assert found.lower_bound_seconds <= found.makespan_seconds


def test_an_attempt_whose_records_are_gone_has_worked_until_that_was_found(world: Make) -> None:
    run = world(task("a", retries=1))
    start(run, "a")
    run.now += 10
    run.send(AttemptReturned(TaskId("a"), 1, "nothing is known of it"))
    run.capture("a")
    retry_at = next_deadline(run.state)
    assert retry_at is not None
    run.now = retry_at
    run.send(TimePassed())
    assert run.running() == {"a"}  # and has no process yet
    run.now += 30
    run.send(TimePassed())

    assert measure(read_history(run.events)).work_seconds == 10


def test_a_recorded_run_has_the_figures_it_always_had() -> None:
    recorded = Path(__file__).parents[2] / "fixtures" / "demo-v1.jsonl"
    rows = recorded.read_text(encoding="utf-8").splitlines()

    found = measure(read_history(decode(json.loads(row)) for row in rows))

    assert found.makespan_seconds == pytest.approx(22.427, abs=0.001)
    assert found.work_seconds == pytest.approx(57.905, abs=0.001)
    assert found.lower_bound_seconds == pytest.approx(20.169, abs=0.001)
    assert found.schedule_efficiency == pytest.approx(0.899, abs=0.001)
    assert found.efficiency_ceiling == pytest.approx(0.574, abs=0.001)
    assert found.parallel_efficiency == pytest.approx(0.516, abs=0.001)
    assert found.conflict_rate == pytest.approx(1 / 9)
    assert (found.conflicts_predicted, found.conflicts_missed) == (1, 1)


def test_percentiles_are_by_nearest_rank() -> None:
    values = [float(number) for number in range(1, 21)]

    assert percentile(values, 0.95) == 19
    assert percentile([4.0], 0.95) == 4


def test_the_history_has_each_phase_of_a_task_with_its_time(world: Make) -> None:
    run = world(task("a"))
    run.now += 2
    run.run("a")
    run.now += 30
    run.exit("a")
    run.now += 1
    run.capture("a", "x.py")
    run.now += 5
    run.land("a")

    spans = read_history(run.events).tasks[TaskId("a")].spans
    assert [(span.phase, span.end - span.begin) for span in spans] == [
        (Phase.STARTING, 2),
        (Phase.RUNNING, 30),
        (Phase.CAPTURING, 1),
        (Phase.LANDING, 5),
    ]
