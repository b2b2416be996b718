"""A run without live tasks, startable tasks or deadlines has ended or names what it waits for."""

import pytest
from msgspec.structs import replace

from pex_tui.core.consequences import is_over, is_stuck, next_deadline
from pex_tui.core.events.actions import ResumeAgent
from pex_tui.core.events.agent_events import AgentSpent, PermissionAsked
from pex_tui.core.events.landing_events import GateFinished, MergeConflicted
from pex_tui.core.events.lock_events import LockAsked, LockReleased
from pex_tui.core.events.run_events import (
    AbortRequested,
    AgentPaused,
    AgentStarted,
    PauseRequested,
    RunDrainRequested,
    RunPauseRequested,
    TaskHeld,
    TimePassed,
)
from pex_tui.core.liveness import waits_for_a_person
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import ClaimId, LockName, TaskId
from pex_tui.core.model.phases import Phase, RunStage
from pex_tui.core.model.plan import Brief, LockRequest, Plan, Priority, Strategy, TaskSpec
from pex_tui.core.model.state import LandStatus, Outcome, RunState
from pex_tui.core.model.task_state import WaitCause
from pex_tui.core.outcome import ending
from pex_tui.core.step import step
from tests.core.world import BASE, World, shipped, task

A, B = TaskId("a"), TaskId("b")
DB = (LockRequest(LockName("db")),)


def agent(name: str, *needs: str, **fields: object) -> TaskSpec:
    return task(name, *needs, brief=Brief("claude", "claude"), **fields)


def world_of(*specs: TaskSpec, plan: dict[str, object] | None = None, **rules: object) -> World:
    return World(Plan(specs, **(plan or {})), shipped(**rules))  # type: ignore[arg-type]


def budget_is_up(*specs: TaskSpec, **plan: object) -> World:
    """Return a run whose first task has used up the budget, and has ended."""
    world = world_of(*specs, plan=plan, budget_tokens=100)
    world.run("a")
    world.send(AgentSpent(A, 1, 100, None, 1))
    world.finish("a")
    return world


def paused_task() -> World:
    world = world_of(task("a"), task("b", "a"))
    world.run("a")
    world.send(PauseRequested(A, "you"), AgentPaused(A, 1))
    return world


def paused_run() -> World:
    world = world_of(task("a"), task("b"), slots=1)
    world.run("a")
    world.send(RunPauseRequested("you"), AgentPaused(A, 1))
    return world


def paused_before_its_start() -> World:
    world = world_of(task("a"), task("b"), slots=1)
    world.send(PauseRequested(B, "you"))
    world.finish("a")
    return world


def paused_before_its_retry() -> World:
    world = world_of(task("a"))
    world.exit("a", 1)
    world.capture("a")
    world.send(PauseRequested(A, "you"))
    return world


def overdue(world: World) -> World:
    """Let every claim on a lock be overdue, with no deadline left."""
    while (at := next_deadline(world.state)) is not None:
        world.now = at
        world.send(TimePassed())
    return world


def lock_of_a_paused_task() -> World:
    world = world_of(task("a", locks=DB), task("b"), task("c", locks=DB))
    world.run("a")
    world.run("b")
    world.send(LockAsked(B, 1, ClaimId("c1"), DB))
    world.send(PauseRequested(A, "you"), AgentPaused(A, 1))
    return overdue(world)


def paused_while_draining() -> World:
    world = world_of(task("a"))
    world.run("a")
    world.send(RunDrainRequested("signal"), PauseRequested(A, "you"), AgentPaused(A, 1))
    return world


def stage_before_has_no_budget() -> World:
    tasks = (agent("a", stage=1), agent("b", stage=1), task("c", stage=2))
    return budget_is_up(*tasks, strategy=Strategy.STAGES, slots=1)


def stage_before_is_in_conflict() -> World:
    plan: dict[str, object] = {"strategy": Strategy.STAGES}
    tasks = (task("a", stage=1), task("b", stage=2))
    world = world_of(*tasks, plan=plan, auto_resolve=False)
    world.exit("a")
    world.capture("a", "x.py")
    world.send(MergeConflicted(A, 1, BASE, (ConflictPath("x.py"),), ()))
    return world


STUCK = {
    "budget, with what needs it": budget_is_up(agent("a"), agent("b", "a"), task("c", "b")),
    "budget, one slot": budget_is_up(agent("a"), agent("b"), agent("c"), slots=1),
    "budget of an earlier stage": stage_before_has_no_budget(),
    "conflict of an earlier stage": stage_before_is_in_conflict(),
    "paused task": paused_task(),
    "paused run": paused_run(),
    "paused before its start": paused_before_its_start(),
    "paused before its retry": paused_before_its_retry(),
    "lock of a paused task": lock_of_a_paused_task(),
    "paused while draining": paused_while_draining(),
}


@pytest.mark.parametrize("what", STUCK)
def test_what_only_a_person_can_let_go_on_says_so_or_ends_where_nobody_is(what: str) -> None:
    world = STUCK[what]
    state = world.state
    assert is_stuck(state)
    assert not is_over(state, attended=True)
    assert ending(state, world.now, attended=True) == ()
    assert waits_for_a_person(state) or state.stage is RunStage.PAUSED

    ended = left_alone(world)
    in_conflict = "conflict" in what
    expected = (Outcome.CONFLICTS, 3) if in_conflict else (Outcome.INTERRUPTED, 130)
    assert (ended.outcome, ended.exit_code) == expected
    if "paused" in what and "draining" not in what:
        assert "nobody is attached" in ended.notices[-1]
        assert "`pex-tui resume r1` continues it" in ended.notices[-1]


def left_alone(world: World) -> RunState:
    """Return the end of an unattended run; agents end as they are told."""
    world = replace_world(world)
    for _ in range(9):
        for event in ending(world.state, world.now, attended=False):
            world.send(event)
        for entry in world.state.tasks:
            if entry.phase in {Phase.STOPPING, Phase.RUNNING}:
                world.exit(entry.id)
            if world.phase(entry.id) is Phase.CAPTURING:
                world.capture(entry.id)
    assert world.state.stage is RunStage.FINISHED
    return world.state


def replace_world(world: World) -> World:
    """Return a copy of the run, to be driven separately."""
    again = World(world.planned.plan, world.planned.rules)
    again.state, again.now = world.state, world.now
    return again


def test_a_run_of_which_all_is_switched_off_has_nothing_to_land_and_is_over() -> None:
    world = world_of(task("a", enabled=False), task("b", "a", enabled=False), land_at_end=True)

    assert world.state.land_status is LandStatus.NOT_ASKED
    (last,) = ending(world.state, world.now, attended=True)
    assert (last.outcome, last.exit_code) == (Outcome.OK, 0)  # type: ignore[union-attr]


def test_what_ends_in_the_queue_is_brought_to_those_that_wait_for_it() -> None:
    tasks = (task("a"), task("b", "a"), task("c"))
    world = world_of(*tasks, plan={"verify": (("check",),)}, gate_retries=0)
    for name, verdicts in (("c", (False, False)), ("a", (False,))):
        world.exit(name)
        world.capture(name, f"{name}.py")
        world.merge(name)
        for red in verdicts:
            entry = world.task(name)
            commit = BASE if entry.landing_stage == "gating_base" else entry.candidate
            assert commit is not None
            world.send(GateFinished(entry.id, entry.attempt, commit, red, 1.0, "check"))

    assert world.state.base_gate_red
    assert (world.phase("a"), world.phase("b")) == (Phase.FAILED, Phase.SKIPPED)
    assert is_over(world.state, attended=True)


def test_whom_the_budget_holds_back_keeps_no_neighbour_from_starting() -> None:
    urgent = agent("b", "a", writes=("src/**",), priority=Priority.CRITICAL)
    other = task("c", "a", writes=("src/x.py",))
    world = budget_is_up(agent("a"), urgent, other, slots=1)

    wait = world.task("b").wait
    assert wait is not None
    assert wait.cause is WaitCause.BUDGET
    assert world.running() == {"c"}


def ask(world: World, name: str, claim: str, lock: str, *within: str) -> None:
    locks, outer = (LockRequest(LockName(lock)),), tuple(ClaimId(one) for one in within)
    world.send(LockAsked(TaskId(name), 1, ClaimId(claim), locks, outer))


def test_a_process_that_waits_for_a_lock_does_not_stop_its_tasks_other_process() -> None:
    world = world_of(task("a"))
    world.run("a")
    ask(world, "a", "1", "db")  # a long test in the background
    ask(world, "a", "2", "db")
    overdue(world)

    assert not is_stuck(world.state)
    assert ending(world.state, world.now, attended=False) == ()
    world.send(LockReleased(ClaimId("1")))
    assert not is_stuck(world.state)


def test_two_tasks_whose_processes_wait_crosswise_go_on_as_others_of_theirs_are_at_work() -> None:
    world = world_of(task("a"), task("b"))
    for name, mine, other in (("a", "db", "cache"), ("b", "cache", "db")):
        world.run(name)
        ask(world, name, f"{name} has", mine)
        ask(world, name, f"{name} wants", other)
    overdue(world)

    assert world.state.conflicts[-1].detail == "waited longer than lock_timeout for db"
    assert not is_stuck(world.state)


def test_a_task_that_waits_for_a_file_goes_on_while_a_process_of_it_is_at_work_in_a_lock() -> None:
    world = world_of(agent("a", writes=None), agent("b", writes=None), leases=True)
    for name in (A, B):
        world.run(name)
        wish = ("Edit", "change x.py", (f"/ws/{name}/x.py",), "")
        world.send(PermissionAsked(name, 1, "r", *wish, edits=True, announced=True))
    ask(world, "b", "1", "db")
    ask(world, "a", "2", "db")  # b waits for a's file, and a for b's lock
    overdue(world)

    assert world.task("b").permissions[0].held_by == A
    assert not is_stuck(world.state)
    assert ending(world.state, world.now, attended=False) == ()


def test_a_task_that_waits_for_a_file_of_a_paused_task_stands_still() -> None:
    world = world_of(agent("a", writes=None), agent("b", writes=None), leases=True)
    for name in (A, B):
        world.run(name)
        wish = ("Edit", "change x.py", (f"/ws/{name}/x.py",), "")
        world.send(PermissionAsked(name, 1, "r", *wish, edits=True, announced=True))
    assert not is_stuck(world.state)

    world.send(PauseRequested(A, "you"), AgentPaused(A, 1))

    assert is_stuck(world.state)
    assert waits_for_a_person(world.state)


def test_a_task_that_is_being_stopped_goes_on_though_a_process_of_it_waits_for_a_lock() -> None:
    world = world_of(task("a"), task("b"))
    for name in ("a", "b"):
        world.run(name)
    ask(world, "b", "1", "db")
    ask(world, "a", "2", "db")
    world.send(PauseRequested(B, "you"), AgentPaused(B, 1))
    overdue(world)
    assert waits_for_a_person(world.state)

    world.send(AbortRequested(A, "you"))

    assert not is_stuck(world.state)
    assert not waits_for_a_person(world.state)


def test_a_task_that_nobody_wants_paused_goes_on_though_a_process_of_it_waits_for_a_lock() -> None:
    world = world_of(task("a"))
    world.run("a")
    assert world.send(AgentPaused(A, 1)) == (ResumeAgent(A, 1),)  # frozen from outside
    ask(world, "a", "1", "db")
    overdue(world)

    assert not is_stuck(world.state)


def test_a_command_within_a_lock_that_waits_for_a_paused_task_stands_still() -> None:
    world = world_of(task("a"), task("b"))
    for name in ("a", "b"):
        world.run(name)
    ask(world, "b", "b has", "cache")
    ask(world, "a", "outer", "db")
    ask(world, "a", "inner", "cache", "outer")
    world.send(PauseRequested(B, "you"), AgentPaused(B, 1))
    overdue(world)

    assert is_stuck(world.state)
    assert waits_for_a_person(world.state)


def test_two_that_wait_for_one_lock_and_exclude_one_another_never_wait_for_each_other() -> None:
    holder = task("z", locks=DB)
    patient = task("y", locks=DB, writes=("src/**",), priority=Priority.LOW)
    urgent = task("x", "w", locks=DB, writes=("src/**",), priority=Priority.CRITICAL)
    world = world_of(holder, patient, task("w"), urgent)
    world.run("z")
    while (at := next_deadline(world.state)) is not None:
        world.now = at
        world.send(TimePassed())
    world.finish("w")
    world.finish("z")

    assert world.running() == {"y"}  # it waited for too long
    world.finish("y")
    assert world.running() == {"x"}


def test_a_wait_for_a_limit_is_no_standstill() -> None:
    world = world_of(agent("a"), slots=1)
    state, _ = step(world.state, replace(TaskHeld(A, WaitCause.LIMIT, ("claude",)), at=world.now))
    assert not is_stuck(state)


def test_who_asks_for_a_permission_waits_for_a_person() -> None:
    world = world_of(agent("a"))
    slot = world.task("a").slot
    assert slot is not None
    world.send(AgentStarted(A, 1, slot, 7, world.now, listens=True))
    world.send(PermissionAsked(A, 1, "r", "Bash", "run make"))

    assert is_stuck(world.state)
    assert waits_for_a_person(world.state)
