"""Consequences of detected overlaps."""

import pytest

from pex_tui.core.events.actions import PauseAgent, ResumeAgent, StopAgent, TellAgent
from pex_tui.core.events.capture_events import WorkCaptured
from pex_tui.core.events.landing_events import BranchMoved, MergeConflicted, WorkMerged
from pex_tui.core.events.overlap_events import OverlapGone, OverlapSeen, WritesSeen
from pex_tui.core.events.run_events import (
    AbortRequested,
    AgentExited,
    AgentPaused,
    AgentStarted,
    ResumeRequested,
)
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Plan, Priority, TaskSpec
from pex_tui.core.model.run_rules import OverlapPolicy
from pex_tui.core.model.task_state import FailureKind
from pex_tui.core.views.status_text import StartQueue, activity
from tests.core.world import World, shipped, task

A, B, C = TaskId("a"), TaskId("b"), TaskId("c")
PATHS = (ConflictPath("src/x.py", lines="3–5"),)
SEEN = OverlapSeen(A, B, PATHS)


def working(policy: OverlapPolicy, *specs: TaskSpec, listens: bool = False) -> World:
    """Return a run of two tasks at work, a for a while longer than b."""
    specs = specs or (task("a", writes=None), task("b", writes=None))
    world = World(Plan(specs), shipped(radar=policy, auto_resolve=False))
    for name in ("a", "b"):
        entry = world.task(name)
        assert entry.slot is not None
        world.send(AgentStarted(entry.id, 1, entry.slot, 4000, world.now, listens))
        world.now += 30
    return world


def land(world: World, name: str) -> None:
    entry = world.task(name)
    landed = CommitId(f"landed-{name}")
    world.send(AgentExited(entry.id, entry.attempt, 0, world.now))
    world.send(WorkCaptured(entry.id, entry.attempt, CommitId(f"work-{name}"), ("src/x.py",)))
    world.send(WorkMerged(entry.id, entry.attempt, world.state.tip or CommitId(""), landed))
    world.send(BranchMoved(entry.id, entry.attempt, landed))


def test_a_warning_is_told_once_and_shown_while_it_lasts() -> None:
    world = working(OverlapPolicy.WARN)
    world.send(SEEN, OverlapSeen(A, B, (*PATHS, ConflictPath("y.py"))))
    (told,) = (text for text in world.state.notices if "both change" in text)
    assert told == (
        "a and b both change src/x.py:3–5, and it won't merge. Pause or abort one, or resolve it "
        "when they land."
    )
    told = activity(world.state, world.task("a"), world.now, StartQueue())
    assert told == "Overlaps with b in src/x.py:3–5 and 1 more"
    (conflict,) = world.state.conflicts
    assert (conflict.decision, conflict.overlapping_at, conflict.conflicting_at) == (
        Decision.WARNED,
        world.state.overlaps[0].since,
        None,
    )
    assert not world.state.open_conflicts
    world.send(OverlapGone(A, B))
    assert activity(world.state, world.task("a"), world.now, StartQueue()) == "Running"


def test_the_one_with_less_to_lose_stands_still_until_the_other_has_landed() -> None:
    world = working(OverlapPolicy.PAUSE)
    assert PauseAgent(B, 1) in world.send(SEEN)
    world.send(AgentPaused(B, 1))
    assert activity(world.state, world.task("b"), world.now, StartQueue()).startswith(
        "Paused until a has landed"
    )

    land(world, "a")
    assert world.phase("b") is Phase.STOPPING
    world.send(AgentExited(B, 1, None, world.now, FailureKind.SIGNAL))
    world.send(WorkCaptured(B, 1, CommitId("half"), ("src/x.py",)))
    assert world.phase("b") is Phase.STARTING
    assert world.task("b").attempt == 2
    assert world.task("b").failures == 0
    (conflict,) = world.state.conflicts
    assert [step.decision for step in conflict.steps] == [Decision.PAUSED, Decision.SERIALISED]
    assert [step.reason for step in conflict.steps] == [
        "conflict_resolution.radar is pause, and b has less to lose than a",
        "a has landed: b starts again on top of that",
    ]


def test_whoever_stood_still_goes_on_where_the_other_does_not_land() -> None:
    world = working(OverlapPolicy.PAUSE)
    world.send(SEEN, AgentPaused(B, 1))
    world.send(AgentExited(A, 1, 0, world.now))
    assert ResumeAgent(B, 1) in world.send(WorkCaptured(A, 1, None))
    assert world.task("b").yields_to is None


@pytest.mark.parametrize("end", ["tried again", "in conflict", "aborted"])
def test_whoever_stood_still_goes_on_where_the_other_will_not_land_soon(end: str) -> None:
    world = working(OverlapPolicy.PAUSE)
    world.send(SEEN, AgentPaused(B, 1))
    if end == "aborted":
        world.send(AbortRequested(A, "you"))
        assert world.task("b").yields_to == A  # its last changes have not been looked at
    failure = None if end == "in conflict" else FailureKind.EXIT
    world.send(AgentExited(A, 1, 1 if failure else 0, world.now, failure))
    acted = world.send(WorkCaptured(A, 1, CommitId("work"), ("src/x.py",)))
    if end == "in conflict":
        tip = world.state.tip or CommitId("")
        acted = world.send(MergeConflicted(A, 1, tip, (ConflictPath("src/x.py"),), ()))

    assert ResumeAgent(B, 1) in acted
    assert world.task("b").yields_to is None


def test_a_person_lets_it_go_on_all_the_same() -> None:
    world = working(OverlapPolicy.PAUSE)
    world.send(SEEN, AgentPaused(B, 1))
    assert ResumeAgent(B, 1) in world.send(ResumeRequested(B, "you"))
    land(world, "a")
    assert world.phase("b") is Phase.PAUSED


@pytest.mark.parametrize(
    ("first", "second", "paused"),
    [
        ({"priority": Priority.HIGH}, {}, B),
        ({}, {"priority": Priority.HIGH}, A),
        ({"estimate_seconds": 600.0}, {}, B),
        ({}, {"estimate_seconds": 600.0}, A),
    ],
)
def test_urgency_and_rank_come_before_the_work_done(
    first: dict[str, object], second: dict[str, object], paused: TaskId
) -> None:
    world = working(
        OverlapPolicy.PAUSE, task("a", writes=None, **first), task("b", writes=None, **second)
    )
    assert PauseAgent(paused, 1) in world.send(SEEN)


def test_nobody_stands_still_for_one_who_stands_still() -> None:
    urgent = task("c", writes=None, priority=Priority.HIGH)
    world = working(OverlapPolicy.PAUSE, task("a", writes=None), task("b", writes=None), urgent)
    world.run("c")
    world.send(SEEN, AgentPaused(B, 1))
    acted = world.send(OverlapSeen(B, C, PATHS))
    assert PauseAgent(C, 1) in acted
    world.send(OverlapSeen(A, C, PATHS))
    assert [world.task(name).yields_to for name in "abc"] == [None, A, B]
    assert world.state.conflicts[1].steps[0].reason == (
        "conflict_resolution.radar is pause, and c is the only one that can"
    )


def test_serialised_tasks_never_run_side_by_side_again() -> None:
    world = working(
        OverlapPolicy.SERIALISE, task("a", writes=None), task("b", writes=None, beside=(A,))
    )
    assert any(isinstance(one, StopAgent) and one.task == B for one in world.send(SEEN))
    world.send(AgentExited(B, 1, None, world.now, FailureKind.SIGNAL))
    world.send(WorkCaptured(B, 1, CommitId("half"), ("src/x.py",)))
    assert world.phase("b") is Phase.READY
    assert "until a has landed: both change src/x.py:3–5" in activity(
        world.state, world.task("b"), world.now, StartQueue()
    )
    land(world, "a")
    assert world.phase("b") is Phase.STARTING


def test_agents_that_listen_are_told_of_each_other() -> None:
    world = working(OverlapPolicy.TELL, listens=True)
    told = [one for one in world.send(SEEN) if isinstance(one, TellAgent)]
    assert [one.task for one in told] == [A, B]
    assert "(b)" in told[0].text
    assert "src/x.py:3–5" in told[0].text
    assert world.state.conflicts[0].decision is Decision.TOLD


def test_where_nobody_listens_people_are_told() -> None:
    world = working(OverlapPolicy.TELL)
    world.send(SEEN)
    assert world.state.conflicts[0].decision is Decision.WARNED


def test_what_one_writes_besides_its_declaration_holds_the_others_back() -> None:
    specs = (
        task("a", writes=("a.py",)),
        task("b", writes=("b.py",)),
        task("c", "b", writes=("extra.py",)),
    )
    world = working(OverlapPolicy.WARN, *specs)
    world.send(WritesSeen(A, 1, ("a.py", "extra.py")))
    assert world.task("a").files == ("a.py", "extra.py")
    assert world.task("a").drift == ("extra.py",)
    assert world.state.notices[-1] == (
        "a also writes extra.py, which it did not declare; c will wait for it."
    )
    land(world, "b")
    assert world.phase("c") is Phase.READY  # until a has landed
    notices = len(world.state.notices)
    world.send(WritesSeen(A, 1, ("a.py", "extra.py")))
    assert len(world.state.notices) == notices
    land(world, "a")
    assert world.task("a").drift == ()  # the capture decides: it kept just src/x.py
    assert world.phase("c") is Phase.STARTING


def test_those_at_work_that_turn_out_to_exclude_each_other_are_known_as_such() -> None:
    specs = tuple(task(name, writes=(f"{name}.py",)) for name in "abc")
    world = working(OverlapPolicy.WARN, *specs)

    world.send(WritesSeen(A, 1, ("a.py", "b.py")))

    assert world.running() == {"a", "b", "c"}
    assert world.state.caught == {frozenset({A, B})}


def test_what_an_undeclared_task_writes_is_known_from_then_on() -> None:
    specs = (task("a", writes=None), task("b", writes=()), task("c", "b", writes=("x.py",)))
    world = working(OverlapPolicy.WARN, *specs)
    world.send(WritesSeen(A, 1, ("x.py",)))
    assert world.task("a").drift == ()
    assert world.state.notices[-1] == "a writes x.py; c will wait for it."


def test_an_undeclared_task_is_held_to_fifty_paths_at_most() -> None:
    world = working(OverlapPolicy.WARN)
    world.send(WritesSeen(A, 1, tuple(f"{number:02}.py" for number in range(60))))

    assert len(world.state.spec(A).predicted_writes) == 50


def test_news_of_an_earlier_attempt_and_of_ended_tasks_is_dropped() -> None:
    world = working(OverlapPolicy.WARN)
    world.send(WritesSeen(A, 7, ("x.py",)))
    assert world.task("a").files == ()
    world.send(AgentExited(A, 1, 0, world.now), WorkCaptured(A, 1, None))
    world.send(SEEN)
    assert world.state.overlaps == ()
