"""Results of the merge queue that are late, or were not requested, are ignored."""

import pytest
from msgspec.structs import replace

from pex_tui.core.events.actions import MergeWork, RunGate, StopGate
from pex_tui.core.events.landing_events import (
    BranchMoved,
    GateFinished,
    MergeConflicted,
    MergeDeferred,
    WorkMerged,
)
from pex_tui.core.events.run_events import AbortRequested
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.phases import LandingStage, Phase
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from tests.core.world import BASE, PLAIN_GATE, SHIPPED, World, task

A, B, C = TaskId("a"), TaskId("b"), TaskId("c")
GATE = (("check",),)


def queued(names: str, rules: RunRules | None = None) -> World:
    """Return a run with every task captured, and the first of them being merged."""
    world = World(Plan(tuple(task(name) for name in names), verify=GATE), rules or SHIPPED)
    for name in names:
        world.exit(name)
    for name in names:
        world.capture(name, f"{name}.py")
    return world


def candidate(world: World, name: str) -> CommitId:
    found = world.task(name).candidate
    assert found is not None
    return found


def judge(world: World, *, passed: bool) -> None:
    """Answer the latest gate request."""
    asked = next(one for one in reversed(world.actions) if isinstance(one, RunGate))
    world.send(GateFinished(asked.task, asked.attempt, asked.commit, passed, 1.0, "check"))


@pytest.mark.parametrize("passed", [True, False])
@pytest.mark.parametrize(
    ("reds", "stage"),
    enumerate([LandingStage.GATING, LandingStage.GATING_AGAIN, LandingStage.GATING_BASE]),
)
def test_a_verdict_on_what_was_merged_before_says_nothing_of_what_is_merged_now(
    reds: int, stage: LandingStage, *, passed: bool
) -> None:
    world = queued("ab")
    world.merge("a")
    world.merge("b")
    old = candidate(world, "b")
    world.send(AbortRequested(A, "you"))  # b is merged again, without a
    world.merge("b")
    for _ in range(reds):
        judge(world, passed=False)
    assert world.task("b").landing_stage is stage
    before = world.state.tasks

    world.send(GateFinished(B, 1, old, passed, 1.0, "check"))

    assert world.state.tasks == before


def test_a_merge_onto_what_was_taken_out_of_the_queue_is_not_taken() -> None:
    world = queued("ab")
    world.merge("a")
    gone = candidate(world, "a")
    world.send(AbortRequested(A, "you"))
    assert world.task("b").landing_stage is LandingStage.MERGING

    world.send(WorkMerged(B, 1, gone, world.commit(), onto=gone))

    assert world.task("b").candidate is None
    assert world.task("b").landing_stage is LandingStage.MERGING


@pytest.mark.parametrize("kind", ["conflict", "deferral"])
def test_a_conflict_with_what_it_is_not_merged_onto_any_more_is_none(kind: str) -> None:
    world = queued("abc")
    world.merge("a")
    world.merge("b")
    gone = candidate(world, "b")
    world.send(AbortRequested(B, "you"))
    assert world.task("c").onto == candidate(world, "a")
    before = world.state

    if kind == "conflict":
        world.send(MergeConflicted(C, 1, gone, (ConflictPath("c.py"),), (B,)))
    else:
        world.send(MergeDeferred(C, 1, gone))

    assert world.state == replace(before, seq=world.state.seq, kept=world.state.kept)


def test_what_only_repeats_an_entry_before_it_is_done_once_that_has_landed() -> None:
    world = queued("ab")
    world.merge("a")
    onto = candidate(world, "a")
    world.send(WorkMerged(B, 1, onto, onto, onto=onto))
    assert world.phase("b") is Phase.QUEUED

    judge(world, passed=True)
    world.send(BranchMoved(A, 1, onto))
    assert world.actions[-1] == MergeWork(B, 1, world.task("b").work or BASE, auto_resolve=True)
    world.send(WorkMerged(B, 1, onto, onto))
    assert world.phase("b") is Phase.DONE


def test_what_repeats_an_entry_that_fails_the_gate_is_not_done() -> None:
    world = queued("ab", replace(PLAIN_GATE, gate_batch=2))
    world.merge("a")
    onto = candidate(world, "a")
    world.send(WorkMerged(B, 1, onto, onto, onto=onto))
    judge(world, passed=False)
    judge(world, passed=True)  # the base

    assert world.phase("a") is Phase.FAILED
    assert world.task("b").landing_stage is LandingStage.MERGING
    assert world.task("b").onto is None


@pytest.mark.parametrize("passed", [True, False])
def test_an_entry_that_waits_for_its_turn_is_aborted_at_once(*, passed: bool) -> None:
    world = queued("abc")
    for name in "abc":
        world.merge(name)
    if passed:  # a is being moved, and b is to follow
        judge(world, passed=True)
        assert world.task("b").landing_stage is LandingStage.PASSED
    else:  # the batch is tested through its last commit
        assert world.task("b").landing_stage is LandingStage.MERGED

    acted = world.send(AbortRequested(B, "you"))

    assert world.phase("b") is Phase.ABORTED
    assert (StopGate(C) in acted) is not passed


def test_a_base_that_is_known_to_be_red_is_not_asked_about_again() -> None:
    rules = replace(PLAIN_GATE, gate_retries=1)
    world = queued("ab", rules)
    world.merge("a")
    for _ in range(3):  # its merge twice, and the base
        judge(world, passed=False)
    assert world.state.base_gate_red
    world.merge("b")
    gates = [one for one in world.actions if isinstance(one, RunGate)]

    judge(world, passed=False)

    assert [one for one in world.actions if isinstance(one, RunGate)] == gates
    assert world.phase("b") is Phase.FAILED
