from collections.abc import Callable

import pytest
from msgspec.structs import fields

from pex_tui.core.consequences import next_deadline
from pex_tui.core.events.actions import CaptureWork, PauseAgent, ResumeAgent, StartAgent, StopAgent
from pex_tui.core.events.agent_events import AgentSpent, PermissionAsked, PermissionDecided
from pex_tui.core.events.capture_events import CaptureFailed
from pex_tui.core.events.landing_events import (
    GateFinished,
    LandingFailed,
    MergeConflicted,
    WorkMerged,
)
from pex_tui.core.events.overlap_events import OverlapSeen, WritesSeen
from pex_tui.core.events.run_events import (
    AbortRequested,
    AgentExited,
    AgentPaused,
    AgentProgressed,
    AgentResumed,
    AgentStarted,
    AttemptReturned,
    ConflictDecided,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    TimePassed,
    WorkspacePrepared,
)
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import SlotId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Brief, Expects, Isolation, Priority
from pex_tui.core.model.run_rules import OverlapPolicy, ProtectPolicy
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.core.model.unlanded import Unlanded, Why, told, why_nothing
from tests.core.world import BASE, World, shipped, task

Make = Callable[..., World]
A = TaskId("a")


def test_a_ready_task_is_started_in_a_slot(world: Make) -> None:
    run = world(task("a"))

    assert run.actions == [StartAgent(A, 1, SlotId(1))]
    assert run.phase("a") is Phase.STARTING


def test_a_task_that_ends_well_and_changed_nothing_is_done(world: Make) -> None:
    run = world(task("a"))
    run.exit("a")
    assert run.actions[-1] == CaptureWork(A, 1)

    run.capture("a")

    assert run.phase("a") is Phase.DONE


def test_a_reader_that_ends_well_is_done_and_no_more_is_said(world: Make) -> None:
    run = world(task("a", writes=()))
    run.finish("a")

    assert run.task("a").reason == "done"


def test_what_an_agent_says_of_its_progress_is_known_while_it_works(world: Make) -> None:
    run = world(task("a"))
    run.run("a")
    run.send(AgentProgressed(A, 1, 0.5, "half way"))
    assert (run.task("a").progress, run.task("a").activity) == (0.5, "half way")

    run.exit("a")
    run.send(AgentProgressed(A, 1, 0.9, "late"))
    assert (run.task("a").progress, run.task("a").activity) == (0.5, "half way")


def test_files_too_large_for_git_are_named_to_the_user(world: Make) -> None:
    run = world(task("a"))
    run.exit("a")
    run.capture("a", left_out=("/state/a/1/left-out/model.bin",))

    assert run.phase("a") is Phase.DONE
    assert run.state.notices == ("a made files too large for git: /state/a/1/left-out/model.bin",)


def test_a_failed_attempt_is_tried_again_after_a_growing_delay(world: Make) -> None:
    run = world(task("a", retries=2))
    delays = []
    for _ in range(2):
        run.exit("a", code=1)
        run.capture("a")
        assert run.phase("a") is Phase.BACKOFF
        deadline = next_deadline(run.state)
        assert deadline is not None
        delays.append(deadline - run.now)
        run.now = deadline
        run.send(TimePassed())
    run.exit("a", code=1)
    run.capture("a")

    assert run.phase("a") is Phase.FAILED
    assert run.task("a").attempt == 3
    assert 0.5 <= delays[0] <= 1.5
    assert 1.0 <= delays[1] <= 3.0


def test_a_program_that_cannot_be_run_is_not_tried_again(world: Make) -> None:
    run = world(task("a", retries=5))

    run.exit("a", failure=FailureKind.LAUNCH)
    run.capture("a")

    assert run.phase("a") is Phase.FAILED


def test_a_failed_task_skips_its_dependents_and_says_so(world: Make) -> None:
    run = world(task("a", retries=0), task("b", "a"), task("c", "b"))

    run.exit("a", code=3)
    run.capture("a")

    assert run.phase("b") is Phase.SKIPPED
    assert run.task("b").reason == "needs a, which failed"
    assert run.task("c").reason == "needs b, which was skipped"


def test_work_of_a_failed_attempt_is_captured_too(world: Make) -> None:
    run = world(task("a", retries=0))

    run.exit("a", code=1)
    run.capture("a", "half.py")

    assert run.task("a").work is not None
    assert run.phase("a") is Phase.FAILED


def test_a_task_that_promised_changes_and_made_none_is_not_a_success(world: Make) -> None:
    run = world(task("a", expects=Expects.CHANGES, retries=0))

    run.exit("a")
    run.capture("a")

    failure = run.task("a").failure
    assert failure is not None
    assert failure.kind is FailureKind.NO_CHANGES


def test_a_retry_of_a_paused_task_is_not_paused(world: Make) -> None:
    run = world(task("a"))
    run.run("a")
    run.send(PauseRequested(A, "you"), AgentPaused(A, 1), RetryRequested(A, "you"))
    assert (run.phase("a"), run.task("a").held) == (Phase.STOPPING, False)
    run.exit("a", code=-15)
    run.capture("a")

    assert (run.phase("a"), run.task("a").attempt) == (Phase.STARTING, 2)
    assert not run.task("a").held


def test_folders_without_a_file_are_nothing_that_was_written() -> None:
    assert why_nothing((Unlanded(Why.EMPTY, ("x/",), 1),)) == ""


def test_a_pipe_in_place_of_a_file_is_told_in_one_line() -> None:
    assert told(A, Unlanded(Why.SPECIAL, ("x",), 1)).startswith("a: x ")


def test_a_task_that_promised_no_changes_and_made_some_is_not_a_success(world: Make) -> None:
    run = world(task("a", expects=Expects.NONE, retries=0))
    run.exit("a")
    run.capture("a", "x.py")

    failure = run.task("a").failure
    assert failure is not None
    assert (failure.kind, failure.detail) == (
        FailureKind.UNEXPECTED_CHANGES,
        "it promised to change nothing but changed x.py",
    )


def test_a_reader_that_changed_tracked_files_fails(world: Make) -> None:
    run = world(task("a", writes=(), isolation=Isolation.SHARED, retries=0))

    run.exit("a")
    run.capture("a", trespass=("src/x.py",))

    assert run.phase("a") is Phase.FAILED
    assert "src/x.py" in run.task("a").reason


def test_pause_is_true_only_once_the_tree_is_frozen(world: Make) -> None:
    run = world(task("a"))
    run.run("a")

    assert run.send(PauseRequested(A, "you")) == (PauseAgent(A, 1),)
    assert run.phase("a") is Phase.RUNNING
    run.send(AgentPaused(A, 1))
    assert run.phase("a") is Phase.PAUSED
    assert run.task("a").slot == 1

    assert run.send(ResumeRequested(A, "you")) == (ResumeAgent(A, 1),)
    run.now += 50
    run.send(AgentResumed(A, 1))
    assert run.phase("a") is Phase.RUNNING
    assert run.task("a").paused_seconds == 50


def test_a_task_paused_before_its_start_does_not_start(world: Make) -> None:
    run = world(task("a"), task("b", "a"))
    run.send(PauseRequested(TaskId("b"), "you"))

    run.finish("a")
    assert run.phase("b") is Phase.READY

    slot = SlotId(1)
    assert run.send(ResumeRequested(TaskId("b"), "you")) == (StartAgent(TaskId("b"), 1, slot),)
    assert run.phase("b") is Phase.STARTING


def test_a_pause_asked_for_while_starting_freezes_the_process_at_once(world: Make) -> None:
    run = world(task("a"))
    run.send(PauseRequested(A, "you"))

    assert run.send(AgentStarted(A, 1, SlotId(1), 77, run.now)) == (PauseAgent(A, 1),)


def test_time_spent_paused_does_not_count_towards_the_timeout(world: Make) -> None:
    run = world(task("a", timeout_seconds=10))
    run.run("a")
    run.send(PauseRequested(A, "you"), AgentPaused(A, 1))
    assert next_deadline(run.state) is None
    run.now += 100
    run.send(ResumeRequested(A, "you"), AgentResumed(A, 1))

    assert next_deadline(run.state) == 210

    run.now = 210
    assert run.send(TimePassed()) == (StopAgent(A, 1, 10.0),)
    run.exit("a", code=1)
    assert "timeout" in str(run.task("a").failure)


def test_an_abort_holds_the_slot_until_the_tree_is_gone(world: Make) -> None:
    run = world(task("a"), task("b"), rules=shipped(slots=1))
    run.run("a")

    run.send(AbortRequested(A, "you"))
    assert run.phase("a") is Phase.STOPPING
    assert run.running() == {"a"}

    run.send(AgentExited(A, 1, None, run.now, FailureKind.SIGNAL, "killed"))
    assert run.running() == {"b"}
    run.capture("a", "saved.py")
    assert run.phase("a") is Phase.ABORTED


def test_an_abort_while_starting_stops_the_process_once_it_is_there(world: Make) -> None:
    run = world(task("a"))
    run.send(AbortRequested(A, "you"))

    assert run.send(AgentStarted(A, 1, SlotId(1), 77, run.now)) == (StopAgent(A, 1, 10.0),)


def test_an_abort_counts_more_than_the_rerun_that_a_task_is_being_stopped_for(world: Make) -> None:
    run = world(task("a"))
    run.run("a")
    run.send(RetryRequested(A, "you"), AbortRequested(A, "you"))
    run.exit("a", code=-15)
    run.capture("a")

    assert run.phase("a") is Phase.ABORTED


def test_late_news_of_an_earlier_attempt_changes_nothing(world: Make) -> None:
    run = world(task("a"))
    run.run("a")
    run.send(RetryRequested(A, "you"))
    run.exit("a", code=1)
    run.capture("a")
    assert run.task("a").attempt == 2
    before = run.state.tasks

    run.send(AgentExited(A, 1, 0, run.now))

    assert run.state.tasks == before


def test_a_retry_gives_a_failed_task_and_what_was_skipped_a_new_life(world: Make) -> None:
    run = world(task("a", retries=0), task("b", "a"))
    run.exit("a", code=1)
    run.capture("a")

    run.send(RetryRequested(A, "you"))
    run.finish("a")
    run.finish("b")

    assert run.phase("b") is Phase.DONE


def test_an_attempt_that_never_got_a_process_does_not_count_as_a_failure(world: Make) -> None:
    run = world(task("a", retries=0))

    run.send(AttemptReturned(A, 1, "its engine ended before it started"))
    run.capture("a")

    assert run.phase("a") is Phase.STARTING
    assert run.task("a").failures == 0


@pytest.mark.parametrize("aborted", [False, True])
def test_an_attempt_that_never_started_has_nothing_to_keep(world: Make, *, aborted: bool) -> None:
    run = world(task("a"), task("b", "a"))
    if aborted:
        run.send(AbortRequested(TaskId("a"), "you"))
    before = len(run.actions)

    run.send(AttemptReturned(TaskId("a"), 1, "its engine ended before it could start"))

    assert not any(isinstance(action, CaptureWork) for action in run.actions[before:])
    assert run.phase("a") is (Phase.ABORTED if aborted else Phase.STARTING)
    assert run.task("a").attempt == (1 if aborted else 2)
    assert run.task("a").failures == 0


def test_a_reader_is_not_blamed_alone_for_what_another_may_have_written(world: Make) -> None:
    run = world(task("a", writes=(), retries=0), task("b", writes=(), retries=0))
    for name in ("a", "b"):
        entry = run.task(name)
        run.send(WorkspacePrepared(entry.id, 1, "/views/1", BASE))
        run.send(AgentStarted(entry.id, 1, entry.slot or SlotId(1), 7, run.now))
    run.exit("a")
    run.capture("a", trespass=("x.py",))

    assert run.task("a").reason == (
        "x.py changed in the checkout that it shared with b; "
        "whichever of them writes has to declare `writes`"
    )


def test_a_reader_that_was_alone_is_told_that_it_wrote(world: Make) -> None:
    run = world(task("a", writes=(), retries=0))
    run.exit("a")
    run.capture("a", trespass=("x.py",))

    assert run.task("a").reason.startswith("it changed x.py and declares `writes: []`")


def test_merge_markers_make_an_attempt_a_failed_one_and_its_work_is_kept(
    world: Callable[..., World],
) -> None:
    run = world(task("a", retries=0))
    run.exit("a")
    run.capture("a", "x.py", markers=("x.py",))

    failure = run.task("a").failure
    assert run.phase("a") is Phase.FAILED
    assert failure is not None
    assert (failure.kind, failure.detail) == (
        FailureKind.MARKERS,
        "it left conflict markers in x.py",
    )
    assert run.task("a").work is not None


def test_merge_markers_are_tried_again(world: Callable[..., World]) -> None:
    run = world(task("a"))
    run.exit("a")
    run.capture("a", "x.py", markers=("x.py",))

    assert run.phase("a") is Phase.BACKOFF


def test_what_an_agent_did_to_its_git_is_said(world: Callable[..., World]) -> None:
    run = world(task("a"))
    run.exit("a")
    run.capture("a", "x.py", oddities=("left a merge half done",), own_commits=2)

    assert run.state.notices == ("a left a merge half done.",)
    assert run.task("a").own_commits == 2
    assert run.phase("a") is Phase.LANDING


IGNORED = Unlanded(Why.IGNORED, ("dist/",), 1, "/state/aside/ignored")


def test_a_task_whose_output_is_all_ignored_says_so(world: Callable[..., World]) -> None:
    run = world(task("a"))
    run.exit("a")
    run.capture("a", unlanded=(IGNORED,))

    assert run.phase("a") is Phase.DONE
    assert run.task("a").reason == "done, but all it wrote is ignored by git: dist/"
    assert run.state.notices == (
        "a: dist/ is ignored by git; not landed, kept in /state/aside/ignored.",
    )


def test_promised_changes_that_are_all_ignored_fail_with_that_reason(
    world: Callable[..., World],
) -> None:
    run = world(task("a", expects=Expects.CHANGES, retries=0))
    run.exit("a")
    run.capture("a", unlanded=(IGNORED,))

    assert run.task("a").reason == (
        "it promised changes, and all it wrote is ignored by git: dist/"
    )


def test_what_does_not_land_is_named_beside_what_does(world: Callable[..., World]) -> None:
    large = Unlanded(Why.IGNORED, ("a", "b", "c"), 40, "", "1.2G, more than 100M")
    empty = Unlanded(Why.EMPTY, ("logs/",), 1)
    run = world(task("a"))
    run.exit("a")
    run.capture("a", "x.py", unlanded=(large, empty))

    assert run.phase("a") is not Phase.DONE
    assert run.state.notices == (
        "a: a, b, c and 37 more are ignored by git; not landed, not kept (1.2G, more than 100M).",
        "a: logs/ holds no file, and git stores no empty folder; not landed, not kept.",
    )


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PAUSED, Phase.STOPPING])
def test_an_attempt_whose_records_are_gone_is_captured_and_made_again(
    world: Make, phase: Phase
) -> None:
    run = world(task("a"))
    run.run("a")
    if phase is Phase.PAUSED:
        run.send(PauseRequested(A, "you"), AgentPaused(A, 1))
    if phase is Phase.STOPPING:
        run.send(AbortRequested(A, "you"))

    assert run.send(AttemptReturned(A, 1, "nothing is known of it")) == (CaptureWork(A, 1),)
    run.capture("a")

    if phase is Phase.STOPPING:
        assert run.phase("a") is Phase.ABORTED
    else:
        assert run.phase("a") is Phase.BACKOFF
        assert run.task("a").reason == "retry 1/3: the records of its process are missing"


def test_work_that_is_gone_with_its_workspace_is_made_again_or_aborted(world: Make) -> None:
    gone = "the workspace of attempt 1 was removed, with all it had done"
    run = world(task("a"))
    run.exit("a")
    run.send(CaptureFailed(A, 1, gone, gone=True))
    assert run.phase("a") is Phase.BACKOFF
    assert run.task("a").reason == f"retry 1/3: {gone}"

    run = world(task("a"))
    run.run("a")
    run.send(AbortRequested(A, "you"))
    run.exit("a", code=143)
    run.send(CaptureFailed(A, 1, gone, gone=True))
    assert run.phase("a") is Phase.ABORTED


_OUTLIVES_AN_ATTEMPT = {
    *("id", "phase", "attempt", "slot", "ready_at", "dispatched_at"),
    *("boosted", "held", "aborted_by", "failures", "reruns", "gate_reruns", "rollbacks", "earlier"),
    *("tip", "onto", "conflicts_with", "combination", "landing_stage", "landed"),
    *("tokens", "cost_usd", "lesson", "seed", "near"),
}


def a_failed_attempt(run: World) -> None:
    """It did all that an attempt can do, then failed, and so did all of its retries."""
    slot = run.task("a").slot
    assert slot is not None
    run.send(WorkspacePrepared(A, 1, "/ws/a", BASE))
    run.send(AgentStarted(A, 1, slot, 4000, run.now, listens=True))
    run.send(AgentProgressed(A, 1, 0.5, "half way"), WritesSeen(A, 1, ("x.py", "other.py")))
    asked = PermissionAsked(A, 1, "q", "Bash", "run it", (), "")
    run.send(asked, PermissionDecided(A, "q", Verdict.ALLOW_ONCE, "you"))
    run.send(AgentSpent(A, 1, 100, 0.5, 1), AgentPaused(A, 1))
    run.now += 5
    run.send(AgentResumed(A, 1))
    run.exit("a", code=1)
    run.capture("a", "x.py", "other.py", drift=("other.py",), own_commits=2, unlanded=(IGNORED,))
    assert run.phase("a") is Phase.FAILED
    run.send(RetryRequested(A, "you"))


def a_decided_attempt(run: World) -> None:
    """Its landing was refused, then met a conflict, which a person resolved and then gave back."""
    run.exit("a")
    run.capture("a", "x.py")
    run.send(LandingFailed(A, 1, "disk full", passing=True))
    run.now += 60
    run.send(TimePassed())
    met = MergeConflicted(A, 1, BASE, (ConflictPath("x.py"),), ())
    run.send(met, ConflictDecided(A, Decision.EDITED, run.commit(), "you"), met)
    assert run.task("a").own_work is not None
    assert run.task("a").refusals == 1
    run.send(RetryRequested(A, "you"))
    assert run.task("a").wait is not None  # for b, as writers run one at a time by now
    run.finish("b")


def a_gated_attempt(run: World) -> None:
    """It was merged, and the gate is red on that, twice, but not on the base."""
    run.exit("a")
    run.capture("a", "x.py")
    run.send(WorkMerged(A, 1, BASE, run.commit(), protected=("x.py",)))
    candidate = run.task("a").candidate
    assert candidate is not None
    for commit, passed in ((candidate, False), (candidate, False), (BASE, True)):
        run.send(GateFinished(A, 1, commit, passed, 1.0, "check"))
    assert run.phase("a") is Phase.FAILED
    run.send(RetryRequested(A, "you"))


def a_stopped_attempt(run: World) -> None:
    """It stood still for another, and was to start again."""
    run.run("a")
    run.send(OverlapSeen(A, TaskId("b"), (ConflictPath("x.py"),)), AgentPaused(A, 1))
    run.send(RetryRequested(A, "you"))
    run.exit("a", code=-15)
    run.capture("a")


STORIES = [a_failed_attempt, a_decided_attempt, a_gated_attempt, a_stopped_attempt]


@pytest.mark.parametrize("story", STORIES)
def test_a_new_attempt_knows_nothing_of_the_one_before(
    world: Make, story: Callable[[World], None]
) -> None:
    brief, low = Brief("claude", "claude"), Priority.LOW
    specs = (task("a", writes=("x.py",), retries=0, brief=brief, priority=low), task("b", "c"))
    rules = shipped(auto_resolve=False, radar=OverlapPolicy.PAUSE, protect=ProtectPolicy.WARN)
    run = world(*specs, task("c", writes=()), rules=rules, verify=(("check",),))
    run.finish("c")
    run.run("b")
    story(run)

    entry = run.task("a")
    assert (entry.phase, entry.attempt) == (Phase.STARTING, 2)
    left = {
        field.name: found
        for field in fields(entry)
        if field.name not in _OUTLIVES_AN_ATTEMPT
        and (found := getattr(entry, field.name)) != field.default
    }
    assert left == {}
