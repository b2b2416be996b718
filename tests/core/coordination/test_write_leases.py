"""Agents that announce writes wait for the holder of the file."""

import pytest
from msgspec.structs import replace

from pex_tui.core.events.actions import Action, AnswerAgent, StopAgent
from pex_tui.core.events.agent_events import PermissionAsked, PermissionDecided
from pex_tui.core.events.capture_events import WorkCaptured
from pex_tui.core.events.landing_events import BranchMoved, WorkMerged
from pex_tui.core.events.overlap_events import WritesSeen
from pex_tui.core.events.run_events import (
    AbortRequested,
    AgentExited,
    AgentStarted,
    ResumeRequested,
)
from pex_tui.core.lifecycle.retry_prompts import YIELDED
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Brief, PermissionMode, PermissionRules, Plan, TaskSpec
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.core.views.status_text import StartQueue, activity
from tests.core.world import World, shipped, task

A, B, C = TaskId("a"), TaskId("b"), TaskId("c")
X = "src/x.py"


def agent(name: str, mode: PermissionMode = PermissionMode.EDITS) -> TaskSpec:
    brief = Brief("claude", "claude", permissions=PermissionRules(mode))
    return task(name, writes=None, brief=brief)


def working(*specs: TaskSpec, leases: bool = True) -> World:
    chosen = specs or tuple(agent(name) for name in "abc")
    world = World(Plan(chosen), shipped(leases=leases))
    for spec in chosen:
        entry = world.task(spec.id)
        assert entry.slot is not None
        world.run(spec.id)
        world.send(AgentStarted(entry.id, 1, entry.slot, 4000, world.now, listens=True))
    return world


def announce(
    world: World, name: str, request: str, path: str = X, *, announced: bool = True
) -> tuple[Action, ...]:
    entry = world.task(name)
    whole = f"{entry.workspace}/{path}"
    asked = PermissionAsked(
        entry.id,
        entry.attempt,
        request,
        "Edit",
        f"change {path}",
        (whole,),
        edits=True,
        announced=announced,
    )
    return world.send(asked)


def allowed(name: TaskId, request: str) -> AnswerAgent:
    return AnswerAgent(name, 1, request, Verdict.ALLOW_ONCE)


def land(world: World, name: str) -> None:
    entry = world.task(name)
    tip, landed = world.state.tip or CommitId("b"), CommitId(f"landed-{name}")
    world.send(
        AgentExited(entry.id, entry.attempt, 0, world.now),
        WorkCaptured(entry.id, entry.attempt, CommitId(f"work-{name}"), (X,)),
        WorkMerged(entry.id, entry.attempt, tip, landed),
        BranchMoved(entry.id, entry.attempt, landed),
    )


def test_a_file_is_changed_by_one_at_a_time_and_the_next_starts_from_what_that_landed() -> None:
    world = working()
    assert announce(world, "a", "r1") == (allowed(A, "r1"),)
    assert announce(world, "b", "r2") == ()
    assert announce(world, "b", "r3", "src/y.py") == (allowed(B, "r3"),)
    world.now += 12
    doing = activity(world.state, world.task("b"), world.now, StartQueue())
    assert doing == "Waits 0:12 to change src/x.py until a has landed"
    assert not world.task("b").asks  # no person has to decide anything
    (told,) = world.state.conflicts
    assert (told.tasks, told.decision) == ((B, A), Decision.PAUSED)

    land(world, "a")
    assert world.phase("b") is Phase.STOPPING
    stopped = AgentExited(B, 1, None, world.now, FailureKind.SIGNAL)
    world.send(stopped, WorkCaptured(B, 1, CommitId("half"), ("src/y.py",)))
    assert (world.task("b").attempt, world.task("b").seed) == (2, "half")
    assert world.task("b").lesson == YIELDED


def test_whoever_waits_goes_on_where_the_other_does_not_land() -> None:
    world = working()
    announce(world, "a", "r1")
    announce(world, "b", "r2")
    world.send(AgentExited(A, 1, 0, world.now))
    assert allowed(B, "r2") in world.send(WorkCaptured(A, 1, None))
    assert world.task("b").yields_to is None


def test_whoever_waits_for_two_waits_on_for_one_while_the_other_is_tried_again() -> None:
    world = working()
    announce(world, "a", "r1")
    announce(world, "c", "r2", "src/y.py")
    announce(world, "b", "r3")
    announce(world, "b", "r4", "src/y.py")
    world.send(AgentExited(C, 1, 1, world.now, FailureKind.EXIT))

    acted = world.send(WorkCaptured(C, 1, CommitId("half"), ("src/y.py",)))

    assert world.phase("c") is Phase.BACKOFF
    assert allowed(B, "r4") in acted
    assert allowed(B, "r3") not in acted
    assert world.task("b").yields_to == A


def test_a_person_lets_it_go_on_all_the_same() -> None:
    world = working()
    announce(world, "a", "r1")
    announce(world, "b", "r2")
    assert allowed(B, "r2") in world.send(ResumeRequested(B, "you"))


def test_what_another_was_seen_to_change_is_its_own_as_well() -> None:
    world = working()
    world.send(WritesSeen(A, 1, (X,)))
    assert announce(world, "b", "r2") == ()
    assert announce(world, "a", "r1") == (allowed(A, "r1"),)


def test_nobody_waits_for_one_who_waits_for_them() -> None:
    world = working()
    announce(world, "a", "r1")
    announce(world, "b", "r2", "src/y.py")
    announce(world, "b", "r3")  # waits for a
    announce(world, "c", "r4", "src/z.py")
    announce(world, "c", "r5", "src/y.py")  # waits for b
    assert announce(world, "a", "r6", "src/z.py") == (allowed(A, "r6"),)


def test_runs_from_before_the_one_wait_graph_follow_who_is_paused_for_whom() -> None:
    world = working()
    world.state = replace(world.state, semantics=Semantics.LADDER)
    announce(world, "a", "r1")
    announce(world, "c", "r2", "src/z.py")
    announce(world, "b", "r3", "src/y.py")
    announce(world, "b", "r4")  # waits for a
    announce(world, "c", "r5", "src/y.py")  # waits for b

    assert announce(world, "a", "r6", "src/z.py") == (allowed(A, "r6"),)
    assert announce(world, "a", "r7", "src/y.py") == (allowed(A, "r7"),)


def test_an_edit_that_a_person_allows_waits_like_any_other_and_a_denied_one_does_not() -> None:
    world = working(agent("a"), *(agent(name, PermissionMode.ASK) for name in "bc"))
    announce(world, "a", "r1")
    assert announce(world, "b", "r2", announced=False) == ()
    assert [asked.request for asked in world.task("b").asks] == ["r2"]
    assert world.send(PermissionDecided(B, "r2", Verdict.ALLOW_ONCE, "you")) == ()
    assert world.task("b").yields_to == A
    announce(world, "c", "r3", announced=False)
    denied = world.send(PermissionDecided(C, "r3", Verdict.DENY, "you"))
    assert denied == (AnswerAgent(C, 1, "r3", Verdict.DENY),)


@pytest.mark.parametrize("announced", [True, False])
def test_without_leases_nobody_waits(announced: bool) -> None:
    world = working(leases=False)
    announce(world, "a", "r1", announced=announced)
    assert announce(world, "b", "r2", announced=announced) == (allowed(B, "r2"),)


def test_an_abort_ends_the_wait() -> None:
    world = working()
    announce(world, "a", "r1")
    announce(world, "b", "r2")
    acted = world.send(AbortRequested(B, "you"))
    assert [type(one) for one in acted] == [StopAgent]


def test_asked_again_after_an_engines_end_it_waits_on_and_is_answered_once_free() -> None:
    world = working()
    announce(world, "a", "r1")
    announce(world, "b", "r2")
    assert announce(world, "b", "r2") == ()
    world.send(AgentExited(A, 1, 0, world.now), WorkCaptured(A, 1, None))
    assert announce(world, "b", "r2") == (allowed(B, "r2"),)
