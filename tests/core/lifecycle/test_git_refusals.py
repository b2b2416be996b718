"""A step that git refuses is retried; a person's result is asked about, not redone."""

from collections.abc import Callable

import pytest

from pex_tui.core.consequences import is_drained, is_over, next_deadline
from pex_tui.core.events.actions import CaptureWork, MergeWork, RunGate, StartAgent, StopGate
from pex_tui.core.events.capture_events import CaptureFailed, WorkCaptured
from pex_tui.core.events.landing_events import (
    BranchMoved,
    GateFinished,
    LandingFailed,
    MergeConflicted,
    WorkMerged,
)
from pex_tui.core.events.overlap_events import OverlapSeen
from pex_tui.core.events.run_events import (
    AbortRequested,
    AgentExited,
    ConflictDecided,
    LandRequested,
    RetryRequested,
    RunAdopted,
    RunDrainRequested,
    RunFinished,
    TimePassed,
)
from pex_tui.core.model.conflict import ConflictKind, ConflictPath, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Priority
from pex_tui.core.model.state import Outcome
from pex_tui.core.model.task_state import FailureKind
from pex_tui.core.outcome import conclude
from tests.core.world import BASE, World, shipped, task

Make = Callable[..., World]
A, B = TaskId("a"), TaskId("b")
GATE = (("pytest", "-q"),)
BY_HAND = shipped(auto_resolve=False)


def captured(run: World, name: str = "a") -> None:
    run.exit(name)
    run.capture(name, "src/api.py")


def met(run: World) -> None:
    tip = run.state.tip or BASE
    files = (ConflictPath("src/api.py"),)
    run.send(MergeConflicted(A, run.task("a").attempt, tip, files, ()))


def wait(run: World) -> None:
    """Advance to the next deadline."""
    deadline = next_deadline(run.state)
    assert deadline is not None
    run.now = deadline
    run.send(TimePassed())


def red(run: World) -> None:
    """Fail the gate on the candidate, and pass it on the base."""
    entry = run.task("a")
    assert entry.candidate is not None
    run.send(GateFinished(A, entry.attempt, entry.candidate, False, 1.0, "pytest", "1 failed"))
    if run.phase("a") is Phase.LANDING:
        run.send(GateFinished(A, entry.attempt, BASE, True, 1.0))


def test_a_refused_landing_is_taken_up_again_from_what_is_kept(world: Make) -> None:
    run = world(task("a"), task("b"))
    captured(run)
    captured(run, "b")
    work = run.task("a").work
    assert work is not None

    run.send(LandingFailed(A, 1, "No space left on device", passing=True))

    assert run.phase("a") is Phase.QUEUED
    assert "No space left" in run.task("a").reason
    assert run.phase("b") is Phase.LANDING  # no task waits for it
    run.land("b")
    assert not is_over(run.state, attended=False)
    wait(run)
    assert run.actions[-1] == MergeWork(A, 1, work)
    run.land("a")
    assert run.phase("a") is Phase.LANDED
    assert [one for one in run.actions if isinstance(one, StartAgent)] == run.actions[:2]


def test_a_refused_capture_is_tried_again_and_not_the_agent(world: Make) -> None:
    run = world(task("a"))
    run.exit("a")
    run.send(CaptureFailed(A, 1, "bad object", passing=True))
    assert run.phase("a") is Phase.CAPTURING

    wait(run)

    assert run.actions[-1] == CaptureWork(A, 1)
    run.capture("a", "x")
    assert run.phase("a") is Phase.LANDING


@pytest.mark.parametrize("step", ["capture", "landing"])
@pytest.mark.parametrize("how", ["resume", "retry"])
def test_a_step_that_was_given_up_is_where_a_resumed_run_goes_on(
    world: Make, step: str, how: str
) -> None:
    run = world(task("a"), task("b", "a"))
    run.exit("a")
    if step == "landing":
        run.capture("a", "x")
    kind = CaptureFailed if step == "capture" else LandingFailed
    for _ in range(7):
        run.send(kind(A, 1, "disk full", passing=True))
        if run.phase("a") is not Phase.FAILED:
            wait(run)
    assert run.phase("a") is Phase.FAILED
    assert run.phase("b") is Phase.SKIPPED
    run.send(RunFinished(*conclude(run.state)))

    run.send(
        RunAdopted(1, "you", retry_failed=True) if how == "resume" else RetryRequested(A, "you")
    )

    again = MergeWork(A, 1, run.task("a").work) if step == "landing" else CaptureWork(A, 1)  # type: ignore[arg-type]  # it has work
    assert again in run.actions[-2:]
    assert run.phase("b") is Phase.WAITING
    assert run.task("a").attempt == 1


def test_what_will_not_pass_and_what_an_older_journal_has_is_final(world: Make) -> None:
    run = world(task("a"))
    captured(run)
    run.send(LandingFailed(A, 1, "git does not know who you are"))
    assert run.phase("a") is Phase.FAILED


def test_a_persons_result_that_the_gate_refuses_waits_for_them(world: Make) -> None:
    run = world(task("a"), rules=shipped(max_retries=0, gate_retries=0), verify=GATE)
    captured(run)
    own = run.task("a").work
    met(run)
    resolved = run.commit()
    run.send(ConflictDecided(A, Decision.EDITED, resolved, "you"))
    run.merge("a")

    red(run)

    entry = run.task("a")
    assert entry.phase is Phase.CONFLICT
    assert (entry.work, entry.own_work) == (resolved, own)
    assert entry.failure is not None
    assert entry.failure.output == "1 failed"
    (conflict,) = run.state.open_conflicts
    assert (conflict.kind, conflict.files) == (ConflictKind.SEMANTIC, (ConflictPath("src/api.py"),))
    assert is_over(run.state, attended=False)
    assert conclude(run.state) == (Outcome.CONFLICTS, 3)
    again = run.commit()
    run.send(ConflictDecided(A, Decision.EDITED, again, "you"))
    assert run.actions[-1] == MergeWork(A, 1, again)
    assert run.task("a").own_work == own


def test_a_persons_result_that_is_refused_tells_of_its_own_files_and_not_of_anothers(
    world: Make,
) -> None:
    rules = shipped(max_retries=0, gate_retries=0)
    run = world(task("a"), task("b", priority=Priority.LOW), rules=rules, verify=GATE)
    run.run("b")
    captured(run)
    met(run)
    run.send(ConflictDecided(A, Decision.EDITED, run.commit(), "you"))
    run.send(OverlapSeen(A, B, (ConflictPath("other.py"),)))
    run.merge("a")

    red(run)

    found = [(one.tasks[0], one.files) for one in run.state.conflicts]
    own = (A, (ConflictPath("src/api.py"),))
    assert found == [own, (B, (ConflictPath("other.py"),)), own]


def test_a_persons_result_is_not_redone_when_the_tip_has_moved_either(world: Make) -> None:
    run = world(task("a"), verify=GATE)
    captured(run)
    for _ in range(4):
        if run.phase("a") is not Phase.CONFLICT:
            met(run)
            if run.phase("a") is Phase.BACKOFF:
                wait(run)
            if run.phase("a") is Phase.STARTING:
                captured(run)
    met(run)
    run.send(ConflictDecided(A, Decision.OURS, run.commit(), "you"))

    met(run)

    assert run.phase("a") is Phase.CONFLICT
    assert "not thrown away" in run.state.open_conflicts[-1].steps[-1].reason


@pytest.mark.parametrize("lacking", [True, False])
def test_a_rerun_that_finds_nothing_to_do_is_done_only_if_its_change_is_there(
    world: Make, lacking: bool
) -> None:
    run = world(task("a"))
    captured(run)
    first = run.task("a").work
    met(run)
    run.exit("a")
    assert run.task("a").earlier == first

    run.send(WorkCaptured(A, 2, None, lacking=lacking))

    if not lacking:
        assert run.phase("a") is Phase.DONE
        return
    assert run.phase("a") is Phase.CONFLICT
    assert first is not None
    assert first[:10] in run.task("a").reason
    assert conclude(run.state) == (Outcome.CONFLICTS, 3)
    assert run.task("a").work == first
    resolved = run.commit()
    run.send(ConflictDecided(A, Decision.OURS, resolved, "you"))
    assert run.actions[-1] == MergeWork(A, 2, resolved)


@pytest.mark.parametrize(
    "asked", [RetryRequested(A, "you"), ConflictDecided(A, Decision.RERUN, None, "you")]
)
def test_what_was_made_before_a_person_asked_for_a_rerun_is_looked_for_after_it(
    world: Make, asked: RetryRequested | ConflictDecided
) -> None:
    run = world(task("a"), rules=BY_HAND)
    captured(run)
    first = run.task("a").work
    met(run)
    run.send(asked)
    assert (run.task("a").earlier, run.task("a").reruns) == (first, 1)
    run.exit("a")
    run.send(WorkCaptured(A, 2, None, lacking=True))

    assert run.phase("a") is Phase.CONFLICT


def test_what_a_person_says_of_a_change_that_is_lacking_is_gated_too(world: Make) -> None:
    run = world(task("a"), verify=GATE, rules=shipped(gate_retries=0))
    run.exit("a", failure=FailureKind.LOST)
    run.capture("a", "x")
    wait(run)
    run.exit("a")
    run.send(WorkCaptured(A, 2, None, lacking=True))
    run.send(ConflictDecided(A, Decision.OURS, run.commit(), "you"))
    run.merge("a")

    red(run)

    (conflict,) = run.state.open_conflicts
    assert (conflict.kind, conflict.files) == (ConflictKind.SEMANTIC, ())


def test_what_a_lost_or_gated_attempt_made_is_looked_for_after_its_rerun(world: Make) -> None:
    run = world(task("a"), verify=GATE, rules=shipped(gate_retries=0))
    run.exit("a", failure=FailureKind.LOST)
    run.capture("a", "x")
    lost = run.task("a").work
    wait(run)
    run.run("a")
    assert run.task("a").earlier == lost
    run.send(AgentExited(A, 2, 0, run.now))
    run.capture("a", "x")
    gated = run.task("a").work
    run.merge("a")
    red(run)
    assert run.task("a").earlier == gated


def test_an_aborted_gate_ends_at_once(world: Make) -> None:
    run = world(task("a"), verify=GATE)
    captured(run)
    run.merge("a")

    assert run.send(AbortRequested(A, "you")) == (StopGate(A),)
    assert run.phase("a") is Phase.ABORTED
    assert is_over(run.state, attended=False)


def test_a_gate_that_ran_ahead_of_a_red_one_is_stopped(world: Make) -> None:
    rules = shipped(speculate=True, gate_batch=1, slots=4)
    run = world(task("a"), task("b"), rules=rules, verify=GATE)
    captured(run)
    captured(run, "b")
    run.merge("a")
    run.merge("b")
    assert [one.task for one in run.actions if isinstance(one, RunGate)] == [A, B]

    red(run)

    assert [one for one in run.actions if isinstance(one, StopGate)] == [StopGate(B)]


@pytest.mark.parametrize("kill", [False, True])
def test_a_draining_run_waits_for_its_landing(world: Make, kill: bool) -> None:
    run = world(task("a"))
    run.finish("a", "x")
    run.send(LandRequested("you"), RunDrainRequested("signal", kill))
    assert not is_drained(run.state)


def test_a_merge_that_was_refused_keeps_no_stale_candidate(world: Make) -> None:
    run = world(task("a"), verify=GATE)
    captured(run)
    run.merge("a")
    run.send(LandingFailed(A, 1, "checkout failed", passing=True))
    assert run.task("a").candidate is None
    wait(run)
    run.send(WorkMerged(A, 1, BASE, run.commit()))
    candidate = run.task("a").candidate
    assert candidate is not None
    run.send(GateFinished(A, 1, candidate, True, 1.0))
    run.send(BranchMoved(A, 1, candidate))
    assert run.phase("a") is Phase.LANDED
