"""Memory as a resource: who starts, who makes room, and what is recorded of it."""

from typing import Any

import pytest

from pex_tui.core.events.actions import PauseAgent, ResumeAgent, StopAgent
from pex_tui.core.events.memory_events import MemoryMeasured, MemoryPressed
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentPaused,
    AgentResumed,
    AgentStarted,
    TimePassed,
)
from pex_tui.core.figures.history import read_history
from pex_tui.core.figures.metrics import measure
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.memory import Pressure
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Plan, Priority
from pex_tui.core.model.run_rules import OnLimit
from pex_tui.core.model.task_state import Failure, FailureKind, WaitCause
from pex_tui.core.step import replay
from tests.core.world import World, shipped, task

GIB = 1024**3


def measured(world: World, gigabytes: float, **used: float) -> None:
    amounts = tuple((TaskId(name), int(amount * GIB)) for name, amount in used.items())
    world.send(MemoryMeasured(int(gigabytes * GIB), amounts))


def pressed(world: World, pressure: Pressure, **used: float) -> list[Any]:
    amounts = tuple((TaskId(name), int(amount * GIB)) for name, amount in used.items())
    return list(world.send(MemoryPressed(pressure, GIB // 2, amounts)))


class Measured(World):
    """A run whose memory is measured before anything starts, as an engine does."""

    gigabytes = 24.0

    def decide(self) -> None:
        if self.state.memory is None:
            self._apply(MemoryMeasured(int(self.gigabytes * GIB)))
        super().decide()


def crowd(*priorities: Priority, **rules: Any) -> World:
    """Return a run in which a, b, c … are at work."""
    names = "abcdefgh"[: len(priorities)]
    specs = (task(name, priority=one) for name, one in zip(names, priorities, strict=True))
    world = Measured(Plan(tuple(specs), slots=8), shipped(**rules))
    for name in names:
        world.run(name)
    return world


def test_what_does_not_fit_together_takes_turns() -> None:
    world = Measured(Plan(tuple(task(f"t{n}", memory_bytes=64 * GIB) for n in range(8)), slots=8))

    assert world.running() == {"t0"}
    wait = world.task("t1").wait
    assert wait is not None
    assert (wait.cause, wait.on) == (WaitCause.MEMORY, ("64G",))

    world.finish("t0")
    assert world.running() == {"t1"}


def test_tasks_start_side_by_side_as_far_as_they_fit() -> None:
    world = Measured(Plan(tuple(task(f"t{n}", memory_bytes=10 * GIB) for n in range(4)), slots=4))

    assert world.running() == {"t0", "t1"}


def test_a_less_urgent_task_does_not_overtake_one_that_waits_for_memory() -> None:
    large = task("large", memory_bytes=20 * GIB, priority=Priority.HIGH)
    first = task("first", memory_bytes=10 * GIB, priority=Priority.CRITICAL)
    world = Measured(Plan((first, large, task("small"), task("peer", priority=Priority.HIGH))))

    assert world.running() == {"first", "peer"}


def test_a_peer_overtakes_only_until_the_wait_is_overdue() -> None:
    specs = (task("first", memory_bytes=10 * GIB), task("large", memory_bytes=20 * GIB))
    world = Measured(Plan((*specs, task("a"), task("b"), task("c", "a")), slots=3))
    assert world.running() == {"first", "a", "b"}

    world.now += 61.0
    world.finish("a")
    assert world.running() == {"first", "b"}

    world.finish("first")
    world.finish("b")
    assert "large" in world.running()


def test_an_agent_that_uses_more_than_it_reserves_counts_with_that() -> None:
    world = Measured(Plan((task("a"), task("b", "c"), task("c")), slots=2))
    world.run("a")
    measured(world, 2.0, a=1.9)
    world.finish("c")

    assert world.phase("b") is Phase.READY
    assert world.running() == {"a"}


def test_nothing_starts_while_memory_is_tight_but_a_task_alone_does() -> None:
    world = Measured(Plan((task("a"), task("b"), task("c", "b")), slots=2))
    pressed(world, Pressure.TIGHT)
    world.finish("b")
    assert world.phase("c") is Phase.READY

    world.finish("a")
    assert world.running() == {"c"}


def test_the_wait_is_counted_and_has_a_conflict_with_its_cost() -> None:
    world = Measured(Plan(tuple(task(name, memory_bytes=20 * GIB) for name in "ab"), slots=2))
    world.run("a")
    world.now += 30.0
    world.finish("a")
    world.finish("b")
    history = read_history(world.events)

    (conflict,) = world.state.conflicts
    assert (conflict.kind, conflict.tasks) == (ConflictKind.MEMORY, ("b",))
    assert history.costs.seconds[conflict.number] == 30.0
    assert measure(history).wait_seconds["memory"].mean == 15.0


def test_a_run_of_before_there_were_measurements_waits_for_no_memory() -> None:
    world = World(Plan(tuple(task(f"t{n}", memory_bytes=64 * GIB) for n in range(4)), slots=4))

    assert len(world.running()) == 4


def test_while_memory_is_short_the_least_urgent_pause_one_by_one_but_the_last() -> None:
    world = crowd(Priority.HIGH, Priority.LOW, Priority.NORMAL)
    paused = [
        one.task
        for _ in range(4)
        for one in pressed(world, Pressure.SHORT)
        if isinstance(one, PauseAgent)
    ]

    assert paused == ["b", "c"]
    assert [one.decision for one in world.state.conflicts] == [Decision.PAUSED] * 2


def test_of_equally_urgent_tasks_the_one_above_its_reservation_pauses() -> None:
    world = crowd(*[Priority.NORMAL] * 3)
    (asked,) = pressed(world, Pressure.SHORT, b=1.0)

    assert asked == PauseAgent(TaskId("b"), 1)


def test_what_was_to_pause_at_its_next_step_is_frozen_when_memory_is_critical() -> None:
    world = Measured(Plan((task("a"), task("b", priority=Priority.LOW)), slots=2))
    for name in "ab":
        world.run(name)
        entry = world.task(name)
        assert entry.slot is not None
        world.send(AgentStarted(entry.id, 1, entry.slot, 1, world.now, listens=True))

    assert pressed(world, Pressure.SHORT) == [PauseAgent(TaskId("b"), 1, gently=True)]
    assert pressed(world, Pressure.CRITICAL) == [PauseAgent(TaskId("b"), 1)]


def test_a_task_is_ended_only_once_the_others_are_frozen_and_one_at_a_time() -> None:
    world = crowd(Priority.NORMAL, Priority.LOW)
    assert pressed(world, Pressure.CRITICAL) == [PauseAgent(TaskId("b"), 1)]
    world.send(AgentPaused(TaskId("b"), 1))

    (stopped,) = pressed(world, Pressure.CRITICAL, b=3.0)
    assert isinstance(stopped, StopAgent)
    assert stopped.task == "b"
    assert not pressed(world, Pressure.CRITICAL, b=3.0)


def test_an_ended_task_runs_again_once_twice_what_it_used_fits() -> None:
    world = crowd(Priority.NORMAL, Priority.LOW)
    world.now += 10.0
    pressed(world, Pressure.CRITICAL)
    world.send(AgentPaused(TaskId("b"), 1))
    pressed(world, Pressure.CRITICAL, b=23.9)
    world.send(AgentExited(TaskId("b"), 1, None, world.now, FailureKind.SIGNAL, "ended by SIGTERM"))
    world.capture("b")

    entry = world.task("b")
    assert (entry.phase, entry.needed_bytes) == (Phase.BACKOFF, 2 * int(23.9 * GIB))
    assert entry.failure is not None
    assert entry.failure.kind is FailureKind.MEMORY
    assert "it used 24G and reserves 256M" in entry.failure.detail
    conflict = world.state.conflicts[-1]
    assert (conflict.kind, conflict.decision) == (ConflictKind.MEMORY, Decision.RERUN)
    assert read_history(world.events).costs.seconds[conflict.number] == 10.0


def sacrificed(world: World, name: str, gigabytes: float) -> None:
    """Have the kernel kill a task for the machine, and its time to wait pass."""
    world.run(name)
    peak, entry = int(gigabytes * GIB), world.task(name)
    kind = FailureKind.MEMORY
    world.send(AgentExited(entry.id, entry.attempt, None, world.now, kind, "killed", peak))
    world.capture(name)
    if (at := world.task(name).retry_at) is not None:
        world.now = at
        world.send(TimePassed(at=at))


def test_who_is_killed_for_the_machine_costs_no_try_until_nothing_else_is_at_work() -> None:
    world = Measured(Plan((task("a"), task("b", retries=1)), slots=2))
    world.run("a")

    for used, needed in ((1, 2), (3, 6), (7, 14), (14, 28)):
        sacrificed(world, "b", used)
        assert (world.task("b").failures, world.task("b").needed_bytes) == (0, needed * GIB)
    detail = "killed: it used 14G and reserves 256M"
    assert [one.decision for one in world.state.conflicts].count(Decision.RERUN) == 4
    assert world.phase("b") is Phase.READY
    assert world.task("b").failure == Failure(FailureKind.MEMORY, detail)

    world.finish("a")
    sacrificed(world, "b", 24)
    assert (world.phase("b"), world.task("b").failures) == (Phase.STARTING, 1)
    sacrificed(world, "b", 24)
    assert world.phase("b") is Phase.FAILED


def test_an_agent_over_its_own_limit_is_not_run_again() -> None:
    world = crowd(Priority.NORMAL)
    words = "over its memory limit: 256M (hard, cgroup v1), peak 256M"
    world.now += 5.0
    over = FailureKind.OVER_MEMORY
    world.send(AgentExited(TaskId("a"), 1, None, world.now, over, words, 256 * 1024**2, 1.5))
    world.capture("a")

    entry = world.task("a")
    assert (entry.phase, entry.reason) == (Phase.FAILED, words)
    assert (entry.peak_bytes, entry.cpu_seconds) == (256 * 1024**2, 1.5)
    (conflict,) = world.state.conflicts
    assert (conflict.decision, conflict.detail) == (Decision.FAILED, words)
    assert read_history(world.events).costs.seconds[conflict.number] == 5.0


def test_with_kill_an_agent_above_its_reservation_is_ended_instead_of_paused() -> None:
    world = crowd(Priority.HIGH, Priority.LOW, on_limit=OnLimit.KILL)

    (stopped,) = pressed(world, Pressure.SHORT, a=1.0, b=0.1)
    assert isinstance(stopped, StopAgent)
    assert stopped.task == "a"


def test_paused_tasks_continue_one_by_one_when_memory_is_easy() -> None:
    world = crowd(Priority.HIGH, Priority.LOW, Priority.NORMAL)
    for _ in range(2):
        pressed(world, Pressure.SHORT)
    world.send(AgentPaused(TaskId("b"), 1), AgentPaused(TaskId("c"), 1))
    assert not pressed(world, Pressure.TIGHT)

    assert pressed(world, Pressure.EASY) == [ResumeAgent(TaskId("c"), 1)]
    assert pressed(world, Pressure.EASY) == [ResumeAgent(TaskId("b"), 1)]


def test_a_paused_task_continues_when_nothing_else_is_at_work() -> None:
    world = crowd(Priority.NORMAL, Priority.LOW)
    pressed(world, Pressure.SHORT)
    world.send(AgentPaused(TaskId("b"), 1))
    world.exit("a")

    assert (
        world.actions[-1] == ResumeAgent(TaskId("b"), 1)
        or ResumeAgent(TaskId("b"), 1) in world.actions
    )
    world.now += 7.0
    world.send(AgentResumed(TaskId("b"), 1))
    assert world.phase("b") is Phase.RUNNING


def test_a_pause_for_memory_costs_its_time() -> None:
    world = crowd(Priority.NORMAL, Priority.LOW)
    pressed(world, Pressure.SHORT)
    world.send(AgentPaused(TaskId("b"), 1))
    world.now += 20.0
    pressed(world, Pressure.EASY)

    assert read_history(world.events).costs.seconds == {1: 20.0}


@pytest.mark.parametrize("pressure", Pressure)
def test_a_change_of_pressure_is_told_once(pressure: Pressure) -> None:
    world = crowd(Priority.NORMAL)
    before = len(world.state.notices)
    pressed(world, pressure)
    pressed(world, pressure)

    assert len(world.state.notices) == before + (pressure is not Pressure.EASY)
    assert replay(world.events) == world.state
