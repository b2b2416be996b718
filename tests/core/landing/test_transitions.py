from collections.abc import Callable

import pytest
from msgspec.structs import replace

from pex_tui.core.consequences import blockers, is_drained, is_over, next_deadline
from pex_tui.core.events.actions import (
    LandRun,
    MergeWork,
    MoveBranch,
    RememberResolution,
    RunGate,
    StartAgent,
    StopGate,
)
from pex_tui.core.events.landing_events import (
    BranchMoved,
    BranchMoveRefused,
    GateFinished,
    LandingFailed,
    MergeConflicted,
    WorkMerged,
)
from pex_tui.core.events.overlap_events import OverlapSeen
from pex_tui.core.events.run_events import (
    AbortRequested,
    ConflictDecided,
    LandRequested,
    RunAdopted,
    RunLanded,
    RunLandRefused,
    TimePassed,
)
from pex_tui.core.figures.history import read_history
from pex_tui.core.model.conflict import (
    ConflictKind,
    ConflictPath,
    Decision,
)
from pex_tui.core.model.ids import CommitId, SlotId, TaskId
from pex_tui.core.model.phases import LandingStage, Phase
from pex_tui.core.model.plan import Expects, GatePolicy
from pex_tui.core.model.run_rules import FallbackMode, RunRules
from pex_tui.core.model.state import LandStatus
from pex_tui.core.views.status_text import StartQueue, activity
from tests.core.world import BASE, PLAIN_GATE, World, shipped, task

Make = Callable[..., World]
A, B = TaskId("a"), TaskId("b")
GATE = (("pytest", "-q"),)
ONE_FILE = (ConflictPath("src/api.py"),)


def captured(run: World, name: str) -> None:
    run.exit(name)
    run.capture(name, "src/api.py")


def conflicted(run: World, name: str, *against: str) -> None:
    entry = run.task(name)
    tip = run.state.tip or BASE
    others = tuple(TaskId(other) for other in against)
    run.send(MergeConflicted(entry.id, entry.attempt, tip, ONE_FILE, others))


def gated(run: World, name: str, *, passed: bool, commit: CommitId | None = None) -> None:
    entry = run.task(name)
    tested = commit or entry.candidate
    assert tested is not None
    run.send(GateFinished(entry.id, entry.attempt, tested, passed, 1.0, "pytest -q", "1 failed"))


def test_captured_work_is_merged_then_moved_then_landed(world: Make) -> None:
    run = world(task("a"))
    captured(run, "a")
    work = run.task("a").work
    assert work is not None
    assert run.actions[-1:] == [MergeWork(A, 1, work)]

    run.merge("a")
    candidate = run.task("a").candidate
    assert candidate is not None
    assert run.actions[-1] == MoveBranch(A, 1, BASE, candidate)

    run.send(BranchMoved(A, 1, candidate))
    assert run.phase("a") is Phase.LANDED
    assert run.state.tip == candidate


def test_one_task_lands_at_a_time_in_the_order_of_capture(world: Make) -> None:
    run = world(task("a"), task("b"))
    captured(run, "b")
    captured(run, "a")
    assert (run.phase("b"), run.phase("a")) == (Phase.LANDING, Phase.QUEUED)

    run.land("b")
    assert run.phase("a") is Phase.LANDING


def test_a_dependent_starts_once_its_need_has_landed(world: Make) -> None:
    run = world(task("a"), task("b", "a"))
    captured(run, "a")
    assert "b" not in run.started()

    run.land("a")
    assert "b" in run.started()


def test_nothing_lands_before_the_gate_has_passed(world: Make) -> None:
    run = world(task("a"), verify=GATE)
    captured(run, "a")
    run.merge("a")
    candidate = run.task("a").candidate
    assert candidate is not None
    assert run.actions[-1:] == [RunGate(A, 1, candidate)]

    gated(run, "a", passed=True)
    assert run.actions[-1] == MoveBranch(A, 1, BASE, candidate)


def test_a_red_gate_on_a_green_base_fails_the_task(world: Make) -> None:
    run = world(task("a"), task("b", "a"), verify=GATE, rules=PLAIN_GATE)
    captured(run, "a")
    run.merge("a")
    gated(run, "a", passed=False)
    assert run.actions[-1] == RunGate(A, 1, BASE)

    gated(run, "a", passed=True, commit=BASE)

    assert run.phase("a") is Phase.FAILED
    assert run.phase("b") is Phase.SKIPPED


def test_a_red_gate_after_the_tip_moved_runs_the_task_once_more(world: Make) -> None:
    run = world(task("a"), task("b"), verify=GATE, rules=PLAIN_GATE)
    captured(run, "a")
    captured(run, "b")
    run.merge("a")
    gated(run, "a", passed=True)
    moved = run.task("a").candidate
    assert moved is not None
    run.send(BranchMoved(A, 1, moved))
    for expected in (Phase.STARTING, Phase.FAILED):
        run.merge("b")
        gated(run, "b", passed=False)
        if run.task("b").landing_stage is LandingStage.GATING_BASE:
            gated(run, "b", passed=True, commit=BASE)
        assert run.phase("b") is expected
        if expected is Phase.STARTING:
            captured(run, "b")


def passes(run: World, name: str) -> None:
    """Its merge passes the gate and lands."""
    run.merge(name)
    gated(run, name, passed=True)
    entry = run.task(name)
    assert entry.candidate is not None
    run.send(BranchMoved(entry.id, entry.attempt, entry.candidate))


def test_a_red_gate_runs_a_task_once_more_and_no_more_though_the_tip_has_moved_again(
    world: Make,
) -> None:
    run = world(*(task(name) for name in "abc"), verify=GATE, rules=PLAIN_GATE)
    captured(run, "a")
    captured(run, "b")
    passes(run, "a")
    run.merge("b")
    gated(run, "b", passed=False)
    gated(run, "b", passed=True, commit=BASE)
    run.run("b")  # from what a has landed
    captured(run, "c")
    passes(run, "c")
    captured(run, "b")
    run.merge("b")
    gated(run, "b", passed=False)

    assert run.task("b").tip != run.task("b").start_commit
    assert run.phase("b") is Phase.FAILED


@pytest.mark.parametrize(
    ("policy", "expected"), [(GatePolicy.OFF, Phase.LANDING), (GatePolicy.STRICT, Phase.FAILED)]
)
def test_a_gate_that_is_red_on_the_base_is_said_once_and_the_policy_decides(
    world: Make, policy: GatePolicy, expected: Phase
) -> None:
    run = world(task("a"), verify=GATE, gate=policy, rules=PLAIN_GATE)
    captured(run, "a")
    run.merge("a")
    gated(run, "a", passed=False)
    gated(run, "a", passed=False, commit=BASE)

    assert run.phase("a") is expected
    assert len(run.state.notices) == 1


def test_a_branch_that_somebody_moved_is_merged_onto_again(world: Make) -> None:
    run = world(task("a"))
    captured(run, "a")
    run.merge("a")

    run.send(BranchMoveRefused(A, 1, "moved"))

    assert run.task("a").landing_stage is LandingStage.MERGING
    run.land("a")
    assert run.phase("a") is Phase.LANDED


def test_work_that_is_there_already_is_done(world: Make) -> None:
    run = world(task("a"))
    captured(run, "a")

    run.send(WorkMerged(A, 1, BASE, BASE))

    assert run.phase("a") is Phase.DONE


def test_a_conflict_reruns_the_task_on_the_new_tip(world: Make) -> None:
    run = world(task("a"), task("b"))
    captured(run, "a")
    captured(run, "b")
    run.land("a")
    conflicted(run, "b", "a")

    assert run.actions[-1] == StartAgent(B, 2, SlotId(1))
    assert run.state.conflicts[0].decision is Decision.RERUN
    captured(run, "b")
    run.land("b")
    assert run.phase("b") is Phase.LANDED


def test_an_unresolved_conflict_waits_for_a_person_and_blocks_dependents(world: Make) -> None:
    run = world(task("a"), task("b", "a"), task("c"), rules=shipped(auto_resolve=False))
    captured(run, "a")
    conflicted(run, "a", "c")

    assert run.phase("a") is Phase.CONFLICT
    assert run.phase("b") is Phase.WAITING
    assert blockers(run.state, run.task("b")) == (A,)
    assert run.state.sequential
    assert not is_over(run.state, attended=False)
    run.finish("c")
    assert is_over(run.state, attended=False)
    assert not is_over(run.state, attended=True)


def test_a_rerun_that_finds_nothing_to_change_says_so(world: Make) -> None:
    run = world(task("a", expects=Expects.CHANGES))  # which the first attempt has kept to
    run.exit("a")
    run.capture("a", "f.py")
    conflicted(run, "a")
    run.exit("a")
    run.capture("a")

    assert run.phase("a") is Phase.DONE
    assert run.task("a").reason == "reran on the latest commit and changed nothing"


def test_a_task_that_writes_for_its_dependents_alone_says_so(world: Make) -> None:
    run = world(task("a"))
    run.exit("a")
    run.capture("a", outputs=2)

    assert run.task("a").reason == "done, wrote 2 outputs"


def wait(run: World) -> None:
    """The clock brings what is due next."""
    due_at = next_deadline(run.state)
    assert due_at is not None
    run.now = due_at
    run.send(TimePassed())


def test_reruns_for_conflicts_are_limited_and_the_later_ones_wait_a_little(world: Make) -> None:
    run = world(task("a"), rules=shipped(max_retries=2, fallback=FallbackMode.PROMPT))
    captured(run, "a")
    conflicted(run, "a")
    assert run.phase("a") is Phase.STARTING  # at once
    captured(run, "a")
    conflicted(run, "a")
    assert run.phase("a") is Phase.BACKOFF
    assert activity(run.state, run.task("a"), run.now, StartQueue()).startswith("Rerun 2/2 in ")
    wait(run)
    captured(run, "a")
    conflicted(run, "a")

    assert run.phase("a") is Phase.CONFLICT
    assert run.task("a").attempt == 3
    assert [one.steps[-1].reason.partition(", ")[0] for one in run.state.conflicts] == [
        "rerun 1 of 2",
        "rerun 2 of 2",
        "2 reruns did not help: it waits for a person",
    ]


def test_what_reruns_did_not_help_runs_once_more_with_no_writer_beside_it(world: Make) -> None:
    run = world(task("a"), task("b"), rules=shipped(max_retries=1))
    captured(run, "a")
    conflicted(run, "a")
    captured(run, "a")
    conflicted(run, "a")

    assert run.state.sequential
    assert run.state.notices[-1] == (
        "From now on, tasks that write run one at a time: a could not land in parallel with others."
    )
    assert (run.phase("a"), run.phase("b")) == (Phase.READY, Phase.STARTING)
    assert "without other writers" in run.state.conflicts[-1].steps[-1].reason
    told = activity(run.state, run.task("a"), run.now, StartQueue())
    assert "as a could not land in parallel with others, writers run one at a time" in told
    run.finish("b", "b.py")
    captured(run, "a")
    conflicted(run, "a")
    assert run.phase("a") is Phase.CONFLICT  # somebody else moves the branch


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (shipped(auto_resolve=False), "auto_resolve is off: it waits for a person"),
        (shipped(max_retries=0), "max_retries is 0: it waits for a person"),
        (
            shipped(max_retries=0, fallback=FallbackMode.ABORT),
            "max_retries is 0, and fallback_mode is abort",
        ),
    ],
)
def test_each_step_of_the_ladder_has_its_reason(world: Make, rules: RunRules, why: str) -> None:
    run = world(task("a"), rules=rules)
    captured(run, "a")
    conflicted(run, "a")

    (conflict,) = run.state.conflicts
    assert [step.reason for step in conflict.steps] == [why]
    assert {step.by for step in conflict.steps} == {"pex"}


def test_once_too_many_landings_met_a_conflict_writers_go_one_by_one(world: Make) -> None:
    names = "abcdefg"
    run = world(*(task(name) for name in names), rules=shipped(sequential_above=0.3))
    run.finish("a", "a.py")
    captured(run, "b")
    conflicted(run, "b", "a")
    assert not run.state.sequential  # one early conflict is no rate
    run.finish("b", "b.py")
    run.finish("c", "c.py")
    run.finish("d", "d.py")
    captured(run, "e")
    conflicted(run, "e", "d")

    assert run.state.sequential_reason == "2 of 5 landings had a conflict"
    assert run.state.sequential_since == run.now
    assert run.state.notices[-1] == (
        "From now on, tasks that write run one at a time: 2 of 5 landings had a conflict."
    )
    assert run.phase("e") is Phase.READY
    assert "2 of 5 landings" in activity(run.state, run.task("e"), run.now, StartQueue())


def test_two_conflicts_in_three_landings_are_no_rate_yet(world: Make) -> None:
    run = world(*(task(name) for name in "abc"), rules=shipped(sequential_above=0.1))
    run.finish("a", "a.py")
    for name in "bc":
        captured(run, name)
        conflicted(run, name, "a")

    assert not run.state.sequential


def test_two_conflicts_in_four_landings_are_a_rate(world: Make) -> None:
    run = world(*(task(name) for name in "abcd"), rules=shipped(sequential_above=0.49))
    for name in "ab":
        run.finish(name, f"{name}.py")
    for name in "cd":
        assert not run.state.sequential
        captured(run, name)
        conflicted(run, name, "a")

    assert run.state.sequential_reason == "2 of 4 landings had a conflict"


def test_one_conflict_is_no_rate_however_many_landings_there_were(world: Make) -> None:
    run = world(*(task(name) for name in "abcde"), rules=shipped(sequential_above=0.1))
    for name in "abcd":
        run.finish(name, f"{name}.py")
    captured(run, "e")
    conflicted(run, "e", "d")

    assert not run.state.sequential


def test_a_rate_of_one_never_makes_a_run_sequential(world: Make) -> None:
    run = world(*(task(name) for name in "abcd"), rules=shipped(sequential_above=1.0))
    for name in "abcd":
        captured(run, name)
        conflicted(run, name)

    assert not run.state.sequential


def test_what_landed_before_an_attempt_began_is_no_part_of_its_conflict(world: Make) -> None:
    specs = (task("z"), task("a", "z"), task("b", "a"), task("c", "a"))
    run = world(*specs, verify=GATE, rules=PLAIN_GATE)
    for name in ("z", "a", "c"):
        run.now += 5
        if name == "c":
            run.run("b")
        captured(run, name)
        run.merge(name)
        gated(run, name, passed=True)
        entry = run.task(name)
        assert entry.candidate is not None
        run.send(BranchMoved(entry.id, entry.attempt, entry.candidate))
    captured(run, "b")
    run.merge("b")
    gated(run, "b", passed=False)
    gated(run, "b", passed=True, commit=BASE)

    (conflict,) = run.state.conflicts
    assert conflict.tasks == (B, "c")


def test_a_red_gate_on_a_clean_merge_is_a_conflict_with_what_landed_meanwhile(
    world: Make,
) -> None:
    run = world(task("a"), task("b"), verify=GATE, rules=PLAIN_GATE)
    captured(run, "a")
    run.run("b")
    run.now += 8
    captured(run, "b")
    run.merge("a")
    gated(run, "a", passed=True)
    moved = run.task("a").candidate
    assert moved is not None
    run.send(BranchMoved(A, 1, moved))
    run.merge("b")
    gated(run, "b", passed=False)
    gated(run, "b", passed=True, commit=BASE)

    (conflict,) = run.state.conflicts
    assert (conflict.kind, conflict.tasks) == (ConflictKind.SEMANTIC, (B, A))
    assert (conflict.decision, conflict.detail) == (Decision.RERUN, "the gate failed: pytest -q")
    assert conflict.steps[-1].reason == "once more, from what had landed meanwhile"
    assert read_history(run.events).costs.seconds == {conflict.number: 8.0}

    captured(run, "b")
    run.merge("b")
    gated(run, "b", passed=False)
    (conflict,) = run.state.conflicts
    assert conflict.decision is Decision.FAILED
    assert "the fault is its own" in conflict.steps[-1].reason


def test_a_red_gate_on_what_started_from_the_tip_is_no_conflict(world: Make) -> None:
    run = world(task("a"), verify=GATE, rules=PLAIN_GATE)
    captured(run, "a")
    run.merge("a")
    gated(run, "a", passed=False)
    gated(run, "a", passed=True, commit=BASE)

    assert run.phase("a") is Phase.FAILED
    assert run.state.conflicts == ()


def test_fallback_abort_ends_the_run(world: Make) -> None:
    rules = shipped(auto_resolve=False, fallback=FallbackMode.ABORT)
    run = world(task("a"), task("b", "a"), rules=rules)
    captured(run, "a")
    conflicted(run, "a")

    assert (run.phase("a"), run.phase("b")) == (Phase.ABORTED, Phase.ABORTED)
    assert run.task("a").work is not None  # its state is kept
    assert run.task("b").reason == (
        "aborted: a conflict stayed unresolved, and fallback_mode is abort"
    )


def test_a_persons_result_goes_through_the_queue(world: Make) -> None:
    run = world(task("a"), rules=shipped(auto_resolve=False))
    captured(run, "a")
    conflicted(run, "a")
    resolved = run.commit()

    run.send(ConflictDecided(A, Decision.EDITED, resolved, "you"))

    assert run.actions[-1] == MergeWork(A, 1, resolved)
    assert run.state.conflicts[0].resolved_by == "you"
    run.land("a")
    assert run.phase("a") is Phase.LANDED


def test_a_persons_result_that_conflicts_again_is_not_thrown_away(world: Make) -> None:
    run = world(task("a"), task("b"), rules=shipped(fallback=FallbackMode.PROMPT, max_retries=1))
    run.run("b")
    for _ in range(2):
        captured(run, "a")
        conflicted(run, "a")
    run.send(ConflictDecided(A, Decision.EDITED, run.commit(), "you"))

    run.send(OverlapSeen(A, B, (ConflictPath("y.py"),)))
    conflicted(run, "a", "b")

    assert run.phase("a") is Phase.CONFLICT
    assert [conflict.decision for conflict in run.state.conflicts][1:] == [Decision.EDITED, None]


def test_an_abort_in_the_gate_stops_it_and_nothing_lands(world: Make) -> None:
    run = world(task("a"), verify=GATE)
    captured(run, "a")
    run.merge("a")

    assert run.send(AbortRequested(A, "you")) == (StopGate(A),)
    gated(run, "a", passed=True)

    assert run.phase("a") is Phase.ABORTED


def test_an_abort_while_the_branch_moves_comes_too_late(world: Make) -> None:
    run = world(task("a"))
    captured(run, "a")
    run.merge("a")
    run.send(AbortRequested(A, "you"))
    candidate = run.task("a").candidate
    assert candidate is not None

    run.send(BranchMoved(A, 1, candidate))

    assert run.phase("a") is Phase.LANDED
    assert run.task("a").stop is None


def test_a_landing_that_git_refuses_fails_the_task_and_frees_the_queue(world: Make) -> None:
    run = world(task("a"), task("b"))
    captured(run, "a")
    captured(run, "b")

    run.send(LandingFailed(A, 1, "object store is read-only"))

    assert run.phase("a") is Phase.FAILED
    assert run.phase("b") is Phase.LANDING


def test_a_run_that_went_well_is_brought_to_its_branch_when_asked(world: Make) -> None:
    run = world(task("a"), rules=shipped(land_at_end=True))
    captured(run, "a")
    run.land("a")

    assert run.actions[-1] == LandRun("main")
    assert not is_over(run.state, attended=False)
    run.send(RunLanded("main", run.commit()))
    assert run.state.land_status is LandStatus.LANDED
    assert is_over(run.state, attended=False)


def test_a_run_with_a_failure_is_not_brought_to_its_branch(world: Make) -> None:
    run = world(task("a", retries=0), rules=shipped(land_at_end=True))
    run.exit("a", code=1)
    run.capture("a")

    assert run.state.land_status is LandStatus.REFUSED


def test_a_refused_landing_can_be_asked_for_again(world: Make) -> None:
    run = world(task("a"))
    captured(run, "a")
    run.land("a")
    run.send(LandRequested("you"), RunLandRefused("your changes to a.py are in the way"))
    assert run.state.land_status is LandStatus.REFUSED

    assert run.send(LandRequested("you")) == (LandRun("main"),)


def test_what_git_refuses_for_a_moment_on_the_users_branch_is_tried_again(world: Make) -> None:
    run = world(task("a"))
    captured(run, "a")
    run.land("a")
    run.send(LandRequested("you"), RunLandRefused("the disk is full", passing=True))
    at = next_deadline(run.state)
    assert run.state.land_status is LandStatus.ASKED
    assert "git refused, again soon (1 of 6): the disk is full" in run.state.land_detail
    assert at is not None
    assert not is_over(run.state, attended=False)

    assert run.send(TimePassed(at=at - 0.1)) == ()
    run.now = at
    assert run.send(TimePassed()) == (LandRun("main"),)
    run.send(RunLanded("main", CommitId("c" * 40), "went forward"))

    assert (run.state.land_status, run.state.land_refusals) == (LandStatus.LANDED, 0)


def test_a_branch_that_holds_the_run_is_not_tried_again(world: Make) -> None:
    run = world(task("a"))
    captured(run, "a")
    run.land("a")
    run.send(LandRequested("you"), RunLandRefused("the disk is full", passing=True))

    run.send(RunLanded("main", CommitId("c" * 40), "went forward"))  # by a command, not an engine

    assert (run.state.land_status, run.state.land_retry_at) == (LandStatus.LANDED, None)


def test_it_is_given_up_after_as_many_refusals_as_a_task_s_landing(world: Make) -> None:
    run = world(task("a"))
    captured(run, "a")
    run.land("a")
    run.send(LandRequested("you"))
    for _ in range(7):
        run.send(RunLandRefused("the disk is full", passing=True))

    assert (run.state.land_status, run.state.land_detail) == (
        LandStatus.REFUSED,
        "the disk is full",
    )
    assert next_deadline(run.state) is None
    assert run.send(LandRequested("you")) == (LandRun("main"),)


def test_a_drained_run_does_not_wait_for_that(world: Make) -> None:
    run = world(task("a"))
    captured(run, "a")
    run.land("a")
    run.send(LandRequested("you"), RunLandRefused("the disk is full", passing=True))
    assert is_drained(run.state)


def test_a_resumed_run_is_brought_to_its_branch_though_that_was_refused_before(
    world: Make,
) -> None:
    run = world(task("a"), rules=shipped(land_at_end=True))
    captured(run, "a")
    run.land("a")
    run.send(RunLandRefused("your changes to a.py are in the way"))

    assert LandRun("main") in run.send(RunAdopted(99, "you"))


def test_what_lands_after_the_run_was_brought_to_its_branch_is_not_there_yet(world: Make) -> None:
    run = world(task("a"), task("b"))
    run.finish("a", "x.py")
    run.send(LandRequested("you"))
    run.send(RunLanded("main", CommitId("c" * 40), "went forward"))
    before = run.state

    run.finish("b", "y.py")

    assert (before.land_status, run.state.land_status) == (LandStatus.LANDED, LandStatus.NOT_ASKED)


def test_the_first_failure_is_named_where_it_ends_the_run(world: Make) -> None:
    run = world(task("a", retries=0), task("b"), rules=shipped(fail_fast=True))
    run.run("b")
    run.exit("a", code=1)
    run.capture("a")
    run.exit("b", code=1)
    run.capture("b")

    assert run.phase("b") is Phase.ABORTED
    assert "another task failed" in run.task("b").reason


def test_a_person_who_ends_a_task_is_named_though_a_failure_would_end_the_run(
    world: Make,
) -> None:
    run = world(task("a"), rules=shipped(fail_fast=True))
    run.send(AbortRequested(A, "you"))
    run.exit("a", code=-15)
    run.capture("a")

    assert run.task("a").reason == "aborted by you"


@pytest.mark.parametrize("decision", [Decision.RERUN, Decision.ABORTED])
def test_a_conflict_that_was_decided_before_aborts_nobody_else(
    world: Make, decision: Decision
) -> None:
    run = world(task("a"), task("b"), rules=shipped(auto_resolve=decision is Decision.RERUN))
    captured(run, "a")
    conflicted(run, "a")  # a rerun is pex's decision, an end a person's
    run.send(ConflictDecided(A, Decision.ABORTED, None, "you"), AbortRequested(B, "you"))
    run.exit("b", code=-15)
    run.capture("b")

    assert run.state.conflicts[0].decision is decision
    assert run.task("b").reason == "aborted by you"


def test_landings_that_the_journal_does_not_know_are_said(world: Make) -> None:
    run = world(task("a"), task("b"))
    captured(run, "a")
    foreign = CommitId("f" * 40)
    run.send(WorkMerged(A, 1, foreign, run.commit()))

    (notice,) = run.state.notices
    assert notice == (
        "pex/r1 holds more of this run than its journal knew; the run continues from there. "
        "`git log pex/r1` shows it."
    )
    assert run.state.tip == foreign


RESOLVED = (ConflictPath("src/api.py", "content", strategies=("superset",)),)


def combined(run: World, name: str, *against: str, candidate: CommitId | None = None) -> None:
    """Its work conflicted, and strategies resolved it."""
    entry = run.task(name)
    others = tuple(TaskId(other) for other in against)
    tip = run.state.tip or BASE
    made = candidate or run.commit()
    run.send(WorkMerged(entry.id, entry.attempt, tip, made, RESOLVED, others))


def met(run: World) -> World:
    """`a` has landed, and `b` is being merged onto that."""
    captured(run, "a")
    captured(run, "b")
    run.merge("a")
    gated(run, "a", passed=True)
    candidate = run.task("a").candidate
    assert candidate is not None
    run.send(BranchMoved(A, 1, candidate))
    return run


def test_strategies_may_resolve_a_conflict_only_where_a_gate_judges(world: Make) -> None:
    gateless, judged = world(task("a")), world(task("a"), verify=GATE)
    captured(gateless, "a")
    captured(judged, "a")

    last = (gateless.actions[-1], judged.actions[-1])
    assert [action.auto_resolve for action in last if isinstance(action, MergeWork)] == [
        False,
        True,
    ]


def test_a_conflict_that_was_resolved_automatically_lands_once_the_gate_has_passed(
    world: Make,
) -> None:
    run = met(world(task("a"), task("b"), verify=GATE, rules=PLAIN_GATE))
    combined(run, "b", "a")
    assert not run.state.conflicts
    run.now += 5
    gated(run, "b", passed=True)
    candidate = run.task("b").candidate
    assert candidate is not None
    run.send(BranchMoved(B, 1, candidate))

    (conflict,) = run.state.conflicts
    assert run.phase("b") is Phase.LANDED
    assert conflict.tasks == (B, A)
    assert (conflict.decision, conflict.resolved_by) == (Decision.COMBINED, "pex")
    assert (conflict.conflicting_at, conflict.steps[-1].reason) == (
        run.now - 5,
        "superset; the gate passed",
    )


def test_a_conflict_that_was_resolved_automatically_and_failed_the_gate_is_the_conflict_it_was(
    world: Make,
) -> None:
    rules = replace(PLAIN_GATE, max_retries=1, fallback=FallbackMode.PROMPT)
    run = met(world(task("a"), task("b"), verify=GATE, rules=rules))
    combined(run, "b", "a")
    gated(run, "b", passed=False)

    assert run.actions[-1] == StartAgent(B, 2, SlotId(1))
    assert [conflict.decision for conflict in run.state.conflicts] == [Decision.RERUN]
    assert "resolved by rule (superset), but the gate failed" in run.state.notices[-1]
    captured(run, "b")
    combined(run, "b", "a")
    gated(run, "b", passed=False)
    assert run.phase("b") is Phase.CONFLICT
    assert [conflict.decision for conflict in run.state.conflicts] == [Decision.RERUN, None]
    assert run.task("b").failures == 0


def test_a_conflict_that_was_resolved_automatically_never_lands_without_a_gate(world: Make) -> None:
    run = world(task("a"), rules=shipped(auto_resolve=False))
    captured(run, "a")
    combined(run, "a")

    assert run.phase("a") is Phase.CONFLICT


def test_work_that_what_landed_holds_already_is_done_and_the_conflict_is_told(world: Make) -> None:
    run = met(world(task("a"), task("b"), verify=GATE, rules=PLAIN_GATE))
    combined(run, "b", "a", candidate=run.state.tip)

    assert run.phase("b") is Phase.DONE
    assert [conflict.decision for conflict in run.state.conflicts] == [Decision.COMBINED]


def test_what_was_remembered_is_told_with_who_decided_it_and_when(world: Make) -> None:
    run = met(world(task("a"), task("b"), verify=GATE, rules=PLAIN_GATE))
    file = ConflictPath("a.md", "content", strategies=("remembered",), by="you", at=1764000000.0)
    run.send(WorkMerged(B, 1, run.state.tip or BASE, run.commit(), (file,), (A,)))
    gated(run, "b", passed=True)
    candidate = run.task("b").candidate
    assert candidate is not None
    run.send(BranchMoved(B, 1, candidate))

    (conflict,) = run.state.conflicts
    assert conflict.resolved_by == "you"
    told = conflict.steps[-1].reason
    assert told == "remembered, as you decided on 2025-11-24; the gate passed"


def test_a_persons_own_result_is_not_resolved_automatically(world: Make) -> None:
    run = world(task("a"), rules=shipped(auto_resolve=False), verify=GATE)
    captured(run, "a")
    conflicted(run, "a")
    resolved = run.commit()

    run.send(ConflictDecided(A, Decision.EDITED, resolved, "you"))

    assert run.actions[-1] == MergeWork(A, 1, resolved, auto_resolve=False)


def test_a_resolved_conflict_whose_branch_moved_is_merged_anew_and_told_once(world: Make) -> None:
    run = met(world(task("a"), task("b"), verify=GATE, rules=PLAIN_GATE))
    combined(run, "b", "a")
    gated(run, "b", passed=True)
    run.send(BranchMoveRefused(B, 1, "moved"))
    assert run.task("b").auto_resolution is None
    combined(run, "b", "a")
    gated(run, "b", passed=True)
    candidate = run.task("b").candidate
    assert candidate is not None
    run.send(BranchMoved(B, 1, candidate))

    assert len(run.state.conflicts) == 1


def test_a_decision_is_remembered_once_it_has_landed(world: Make) -> None:
    run = world(task("a"), rules=shipped(auto_resolve=False), verify=GATE)
    captured(run, "a")
    work = run.task("a").work
    assert work is not None
    conflicted(run, "a")
    resolved = run.commit()
    run.send(ConflictDecided(A, Decision.EDITED, resolved, "you"))
    run.merge("a")
    gated(run, "a", passed=True)
    assert not [one for one in run.actions if isinstance(one, RememberResolution)]
    candidate = run.task("a").candidate
    assert candidate is not None

    run.send(BranchMoved(A, 1, candidate))

    assert run.actions[-1] == RememberResolution(A, work, resolved, "you")


def test_a_decision_that_the_gate_refused_is_never_remembered(world: Make) -> None:
    run = world(task("a"), rules=shipped(auto_resolve=False), verify=GATE)
    captured(run, "a")
    conflicted(run, "a")
    run.send(ConflictDecided(A, Decision.EDITED, run.commit(), "you"))
    run.merge("a")
    gated(run, "a", passed=False)
    gated(run, "a", passed=False, commit=BASE)

    assert not [one for one in run.actions if isinstance(one, RememberResolution)]
