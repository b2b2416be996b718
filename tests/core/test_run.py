from collections.abc import Callable
from itertools import pairwise

import pytest

from pex_tui.core.consequences import is_drained
from pex_tui.core.events.actions import (
    AdoptAgent,
    CaptureWork,
    MergeWork,
    PauseAgent,
    ResumeAgent,
    StopAgent,
)
from pex_tui.core.events.run_events import (
    AbortRequested,
    AgentPaused,
    AgentStarted,
    PauseRequested,
    RetryRequested,
    RunAbortRequested,
    RunAdopted,
    RunDrainRequested,
    RunFinished,
    RunPauseRequested,
    RunResumeRequested,
)
from pex_tui.core.lifecycle.step_draft import Draft, IllegalTransition
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import Phase, RunStage
from pex_tui.core.model.state import Outcome
from pex_tui.core.step import replay
from tests.core.world import World, shipped, task

Make = Callable[..., World]
A, B = TaskId("a"), TaskId("b")


def test_pausing_the_run_freezes_what_runs_and_starts_nothing(world: Make) -> None:
    run = world(task("a"), task("b", "a"))
    run.run("a")

    assert run.send(RunPauseRequested("you")) == (PauseAgent(A, 1),)
    run.send(AgentPaused(A, 1))
    run.now += 30
    assert run.send(RunResumeRequested("you")) == (ResumeAgent(A, 1),)
    assert run.state.paused_seconds == 30


def test_resuming_the_run_leaves_what_a_person_paused_alone(world: Make) -> None:
    run = world(task("a"), task("b"))
    run.run("a")
    run.run("b")
    run.send(PauseRequested(A, "you"), AgentPaused(A, 1), RunPauseRequested("you"))
    run.send(AgentPaused(B, 1))

    assert run.send(RunResumeRequested("you")) == (ResumeAgent(B, 1),)


def test_aborting_the_run_ends_every_task(world: Make) -> None:
    run = world(task("a"), task("b", "a"))
    run.run("a")

    assert run.send(RunAbortRequested("you")) == (StopAgent(A, 1, 10.0),)
    run.exit("a", code=1)
    run.capture("a")

    assert {entry.phase for entry in run.state.tasks} == {Phase.ABORTED}


def test_the_first_failure_ends_the_run_when_asked(world: Make) -> None:
    run = world(task("a", retries=0), task("b"), rules=shipped(fail_fast=True))
    run.run("b")
    run.exit("a", code=1)
    run.capture("a")

    assert run.phase("b") is Phase.STOPPING


def test_draining_starts_nothing_and_gives_frozen_attempts_back(world: Make) -> None:
    run = world(task("a"), task("b"), task("c", "b"))
    run.run("a")
    run.run("b")
    run.send(PauseRequested(A, "you"), AgentPaused(A, 1))

    assert run.send(RunDrainRequested("signal")) == (StopAgent(A, 1, 10.0),)
    run.exit("a", code=1)
    run.capture("a")
    assert run.phase("a") is Phase.READY
    assert not is_drained(run.state)
    run.finish("b")
    assert is_drained(run.state)
    assert run.phase("c") is Phase.READY


def test_a_killed_run_ends_its_agents_and_gives_their_attempts_back(world: Make) -> None:
    run = world(task("a"))
    run.run("a")

    run.send(RunDrainRequested("signal", kill=True))
    run.exit("a", code=1)
    run.capture("a", "half.py")

    assert run.phase("a") is Phase.READY
    assert run.task("a").failures == 0


def test_an_adopted_run_looks_for_what_was_in_flight(world: Make) -> None:
    run = world(task("a"), task("b"), task("c"))
    run.run("a")
    run.exit("b")
    run.exit("c")
    run.capture("c", "x.py")
    work = run.task("c").work
    assert work is not None

    actions = run.send(RunAdopted(99, "you"))

    slot = run.task("a").slot
    assert slot is not None
    assert actions == (
        AdoptAgent(A, 1, slot),
        CaptureWork(B, 1),
        MergeWork(TaskId("c"), 1, work),
    )


def test_adoption_lets_frozen_agents_go_on_once_they_are_found(world: Make) -> None:
    run = world(task("a"))
    run.run("a")
    run.send(PauseRequested(A, "you"), AgentPaused(A, 1))
    slot = run.task("a").slot
    assert slot is not None
    assert run.send(RunAdopted(99, "you")) == (AdoptAgent(A, 1, slot, held=True),)

    assert run.send(AgentStarted(A, 1, slot, 4001, run.now)) == (ResumeAgent(A, 1),)


def test_a_hand_over_keeps_what_is_paused(world: Make) -> None:
    run = world(task("a"))
    run.run("a")
    run.send(PauseRequested(A, "you"), AgentPaused(A, 1))
    slot = run.task("a").slot
    assert slot is not None
    run.send(RunAdopted(99, "pex", keep_pauses=True))

    # It may have been thawed without a journal entry: it is frozen once more.
    assert run.send(AgentStarted(A, 1, slot, 4001, run.now)) == (PauseAgent(A, 1),)


def test_what_was_frozen_as_its_engine_died_goes_on_when_it_is_to_run(world: Make) -> None:
    run = world(task("a"))
    run.run("a")
    run.send(PauseRequested(A, "you"))  # and no AgentPaused: the engine was killed
    slot = run.task("a").slot
    assert slot is not None
    run.send(RunAdopted(99, "you"))

    assert run.send(AgentStarted(A, 1, slot, 4001, run.now)) == (ResumeAgent(A, 1),)
    assert run.phase("a") is Phase.RUNNING


def test_an_interrupted_run_goes_on_when_adopted(world: Make) -> None:
    run = world(task("a"), task("b", "a"))
    run.run("a")
    run.send(RunDrainRequested("signal"))
    run.finish("a")
    run.send(RunFinished(Outcome.INTERRUPTED, 130))

    run.send(RunAdopted(99, "you"))

    assert run.state.stage is RunStage.RUNNING
    assert run.phase("b") is Phase.STARTING


def test_adoption_retries_what_failed_only_when_asked(world: Make) -> None:
    run = world(task("a", retries=0), task("b", "a"))
    run.exit("a", code=1)
    run.capture("a")
    run.send(RunFinished(Outcome.FAILED, 1), RunAdopted(99, "you", retry_failed=True))

    assert (run.phase("a"), run.phase("b")) == (Phase.STARTING, Phase.WAITING)


def test_what_the_first_failure_ended_goes_on_when_asked_and_what_a_person_ended_does_not(
    world: Make,
) -> None:
    rules = shipped(fail_fast=True)
    run = world(
        task("a", retries=0), task("b"), task("c", "b"), task("d"), task("e", "d"), rules=rules
    )
    for name in ("a", "b", "d"):
        run.run(name)
    run.send(AbortRequested(TaskId("d"), "you"))
    run.exit("d", code=-15)
    run.capture("d")
    run.exit("a", code=1)
    run.capture("a")
    run.exit("b", code=-15)
    run.capture("b")
    assert [run.phase(name) for name in "abcde"] == [
        Phase.FAILED,
        Phase.ABORTED,
        Phase.ABORTED,
        Phase.ABORTED,
        Phase.SKIPPED,
    ]
    run.send(RunFinished(Outcome.FAILED, 1))

    run.send(RunAdopted(99, "you", retry_failed=True, retry_aborted=True))

    assert [run.phase(name) for name in "abcde"] == [
        Phase.STARTING,
        Phase.STARTING,
        Phase.WAITING,
        Phase.ABORTED,
        Phase.SKIPPED,
    ]
    assert replay(run.events) == run.state


def test_what_a_person_aborted_with_the_whole_run_is_taken_up_again_if_asked(world: Make) -> None:
    run = world(task("a"), task("b", "a"), task("c"), task("d", "c"), slots=2)
    run.run("a")
    run.run("c")
    run.send(AbortRequested(TaskId("c"), "you"), RunAbortRequested("you"))
    for name in "ac":
        run.exit(name, code=-15)
        run.capture(name)
    assert [run.phase(name) for name in "abcd"] == [Phase.ABORTED] * 4
    run.send(RunFinished(Outcome.ABORTED, 1))

    run.send(RunAdopted(99, "you"))
    assert [run.phase(name) for name in "abcd"] == [Phase.ABORTED] * 4

    run.send(RunAdopted(99, "you", retry_run_abort=True))

    assert [run.phase(name) for name in "abcd"] == [
        Phase.STARTING,
        Phase.WAITING,
        Phase.ABORTED,
        Phase.SKIPPED,
    ]
    assert replay(run.events) == run.state


def test_a_chain_of_any_length_is_taken_up_again(world: Make) -> None:
    names = [f"t{number}" for number in range(3000)]
    chain = [task("t0", retries=0), *(task(b, a) for a, b in pairwise(names))]
    run = world(*chain)
    run.exit("t0", code=1)
    run.capture("t0")
    assert run.phase(names[-1]) is Phase.SKIPPED

    run.send(RetryRequested(TaskId("t0"), "you"))

    assert run.phase("t0") is Phase.STARTING
    assert run.phase(names[-1]) is Phase.WAITING


def test_replaying_the_journal_gives_the_same_state(world: Make) -> None:
    run = world(task("a", writes=("x",)), task("b", writes=("x",)), task("c", "a"))
    run.finish("a", "x")
    run.finish("b", "x")

    assert replay(run.events) == run.state


def test_an_illegal_move_raises_and_changes_nothing(world: Make) -> None:
    run = world(task("a"))
    draft = Draft(run.state, run.now)

    with pytest.raises(IllegalTransition, match="can't go from starting to conflict"):
        draft.move(A, Phase.CONFLICT)

    assert draft.state == run.state
