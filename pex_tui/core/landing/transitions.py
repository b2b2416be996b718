"""Transitions of merge queue entries on results of git and the gate."""

from pex_tui.core.events.landing_events import (
    BranchMoved,
    BranchMoveRefused,
    GateFinished,
    LandingEvent,
    LandingFailed,
    MergeConflicted,
    MergeDeferred,
    WorkMerged,
)
from pex_tui.core.events.run_events import ConflictDecided
from pex_tui.core.landing.approval import is_stopped, paths_in_conflict, tell_protected
from pex_tui.core.landing.auto_resolution import (
    as_conflict,
    auto_resolution_of,
    record_auto_resolution,
    remember_resolution,
)
from pex_tui.core.landing.batch import apply_gate_verdict
from pex_tui.core.landing.gate_verdicts import apply_repeated_verdict, is_gated
from pex_tui.core.landing.merge_conflicts import adopt_tip, apply_merge_conflicted
from pex_tui.core.lifecycle.attempts import ready, why_aborted
from pex_tui.core.lifecycle.conflict_log import close_conflicts
from pex_tui.core.lifecycle.git_refusals import retry_after_refusal
from pex_tui.core.lifecycle.merge_queue import enqueue, leave_queue, step_back, withdraw
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.phases import LandingStage, Phase
from pex_tui.core.model.state import LandStatus
from pex_tui.core.model.task_state import StopCause, TaskState
from pex_tui.core.recovered_attempts import apply_landing_found


def apply_landing_event(draft: Draft, event: LandingEvent) -> None:
    """Apply an event of an entry in flight; events of other entries are late and dropped."""
    task = draft.task(event.task)
    if isinstance(event, BranchMoved) and event.found:
        apply_landing_found(draft, task, event)
    elif task.phase is Phase.LANDING and task.attempt == event.attempt:
        _apply_to_entry(draft, task, event)


def _apply_to_entry(draft: Draft, task: TaskState, event: LandingEvent) -> None:
    match event, task.landing_stage:
        case BranchMoved(), LandingStage.MOVING:
            _apply_branch_moved(draft, task, event)
        case (_, _) if task.stop is StopCause.ABORT:
            withdraw(draft, task)
            draft.move(task.id, Phase.ABORTED, reason=why_aborted(draft.state))
        case WorkMerged(), LandingStage.MERGING if _is_asked_for(task, event):
            _apply_work_merged(draft, task, event)
        case MergeConflicted(), LandingStage.MERGING if task.onto in {None, event.tip}:
            apply_merge_conflicted(draft, task, event)
        case MergeDeferred(), LandingStage.MERGING if task.onto == event.onto:
            _wait_for_batch(draft, task)
        case GateFinished(), LandingStage.GATING:
            apply_gate_verdict(draft, task, event)
        case GateFinished(), LandingStage.GATING_AGAIN | LandingStage.GATING_BASE:
            apply_repeated_verdict(draft, task, event)
        case BranchMoveRefused(), LandingStage.MOVING:
            step_back(draft, None)
        case LandingFailed(), _:
            withdraw(draft, task)
            retry_after_refusal(draft, task, event)
        case _:
            pass


def apply_conflict_decided(draft: Draft, event: ConflictDecided) -> None:
    """Apply a person's decision on a conflict: queue the task again, or start another attempt."""
    task = draft.task(event.task)
    if task.phase is not Phase.CONFLICT:
        return
    decided_paths = paths_in_conflict(draft, task)
    close_conflicts(draft, task.id, event.decision, event.by)
    if event.decision is Decision.RERUN:
        draft.change(task.id, reruns=task.reruns + 1, earlier=task.own_work or task.work)
        ready(draft, task, "again, on the latest commit")
    elif event.decision is Decision.ABORTED or event.work is None:
        draft.move(task.id, Phase.ABORTED, reason=f"given up by {event.by}")
    else:
        own_work = task.own_work or task.work
        approved = (*task.approved, *decided_paths)
        changed = draft.change(
            task.id, work=event.work, own_work=own_work, approved=approved, reason=""
        )
        enqueue(draft, changed)


def _is_asked_for(task: TaskState, event: WorkMerged) -> bool:
    """Return whether the merge was onto the task's current place in the queue."""
    return task.onto == event.onto or (event.onto is None and task.onto == event.tip)


def _apply_work_merged(draft: Draft, task: TaskState, event: WorkMerged) -> None:
    if task.onto in {None, draft.state.tip}:
        adopt_tip(draft, event.tip)
    elif event.candidate == event.tip:
        _wait_for_batch(draft, task)  # the change that it repeats has not landed yet
        return
    auto_resolution = auto_resolution_of(event)
    task = draft.change(
        task.id, tip=event.tip, candidate=event.candidate, auto_resolution=auto_resolution
    )
    if event.candidate == event.tip:
        leave_queue(draft, task)
        record_auto_resolution(draft, task)
        remember_resolution(draft, task)
        draft.move(task.id, Phase.DONE, reason=_why_nothing_lands(draft, task))
    elif is_stopped(draft, task, event.protected):
        pass
    elif auto_resolution is not None and not is_gated(draft.state):  # no gate would judge it
        apply_merge_conflicted(draft, task, as_conflict(task, auto_resolution))
    else:
        stage = LandingStage.MERGED if is_gated(draft.state) else LandingStage.PASSED
        draft.change(task.id, landing_stage=stage)


def _why_nothing_lands(draft: Draft, task: TaskState) -> str:
    left_out = any(
        one.kind is ConflictKind.PROTECTED and one.tasks[0] == task.id
        for one in draft.state.conflicts
    )
    if task.own_work is not None and left_out:
        return "all that it changed was left out"
    return "its change had landed already"


def _wait_for_batch(draft: Draft, task: TaskState) -> None:
    """Merge the entry again once those before it have landed, as they can't be tested together."""
    draft.move(
        task.id,
        Phase.QUEUED,
        landing_stage=None,
        candidate=None,
        onto=None,
        conflicts_with=task.onto,
    )


def _apply_branch_moved(draft: Draft, task: TaskState, event: BranchMoved) -> None:
    leave_queue(draft, task)
    draft.set(tip=event.commit)
    record_auto_resolution(draft, task)
    remember_resolution(draft, task)
    tell_protected(draft, task)
    draft.move(
        task.id,
        Phase.LANDED,
        landed=event.commit,
        rolled_back=None,
        failure=None,
        stop=None,
        reason="",
    )
    if draft.state.land_status is LandStatus.LANDED:  # the user's branch lacks this commit
        draft.set(land_status=LandStatus.NOT_ASKED, land_detail="")
