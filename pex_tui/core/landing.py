"""The merge queue: what git and the gate say of its entries, and what becomes of them."""

from operator import itemgetter

from pex_tui.core.attempts import ready, why_aborted
from pex_tui.core.batch import judged_by_gate, leave, step_back
from pex_tui.core.disputes import close, meet
from pex_tui.core.draft import Draft
from pex_tui.core.events import ConflictDecided
from pex_tui.core.fallback import climb, next_rung, one_by_one, slow_down
from pex_tui.core.gate import examined, is_gated
from pex_tui.core.ids import CommitId, TaskId
from pex_tui.core.landing_events import (
    BranchMoved,
    BranchMoveRefused,
    GateFinished,
    LandingFailed,
    MergeConflicted,
    MergeDeferred,
    WorkMerged,
)
from pex_tui.core.lessons import conflict_lesson
from pex_tui.core.phases import LandingStage, Phase
from pex_tui.core.queue import enqueue, leave_queue
from pex_tui.core.rules import FallbackMode
from pex_tui.core.state import (
    Decision,
    Failure,
    FailureKind,
    LandStatus,
    StopCause,
    TaskState,
)
from pex_tui.core.stopping import abort_run

LandingEvent = (
    WorkMerged
    | MergeConflicted
    | MergeDeferred
    | GateFinished
    | BranchMoved
    | BranchMoveRefused
    | LandingFailed
)
_BY_HAND = frozenset({Decision.OURS, Decision.THEIRS, Decision.EDITED})


def landing_event(draft: Draft, event: LandingEvent) -> None:
    """Apply news of an entry that was taken up; of any other it comes too late."""
    task = draft.task(event.task)
    if task.phase is not Phase.LANDING or task.attempt != event.attempt:
        return
    match event, task.landing_stage:
        case BranchMoved(), LandingStage.MOVING:
            _landed(draft, task, event)
        case (_, _) if task.stop is StopCause.ABORT:
            leave(draft, task)
            draft.move(task.id, Phase.ABORTED, reason=why_aborted(draft.state))
        case WorkMerged(), LandingStage.MERGING if _is_asked_for(task, event):
            _merged(draft, task, event)
        case MergeConflicted(), LandingStage.MERGING if task.onto in {None, event.tip}:
            _conflicted(draft, task, event)
        case MergeDeferred(), LandingStage.MERGING if task.onto == event.onto:
            _wait_for_batch(draft, task)
        case GateFinished(), LandingStage.GATING:
            judged_by_gate(draft, task, event)
        case GateFinished(), LandingStage.GATING_AGAIN | LandingStage.GATING_BASE:
            examined(draft, task, event)
        case BranchMoveRefused(), LandingStage.MOVING:
            step_back(draft, None)
        case LandingFailed(), _:
            leave(draft, task)
            failure = Failure(FailureKind.LANDING, event.detail)
            draft.move(task.id, Phase.FAILED, failure=failure, reason=event.detail)
        case _:
            pass


def decided(draft: Draft, event: ConflictDecided) -> None:
    """A person settled the task's conflict: to the queue again, or another attempt."""
    task = draft.task(event.task)
    if task.phase is not Phase.CONFLICT:
        return
    close(draft, task.id, event.decision, event.by)
    if event.decision is Decision.RERUN:
        draft.change(task.id, reruns=task.reruns + 1)
        ready(draft, task, "again, on the newest tip")
    elif event.decision is Decision.ABORTED or event.work is None:
        draft.move(task.id, Phase.ABORTED, reason=f"given up by {event.by}")
    else:
        enqueue(draft, draft.change(task.id, work=event.work, reason=""))


def _is_asked_for(task: TaskState, event: WorkMerged) -> bool:
    """Whether it was merged onto what it is to be merged onto by now; a landing told both."""
    return task.onto == event.onto or (event.onto is None and task.onto == event.tip)


def _stand_on(draft: Draft, tip: CommitId) -> None:
    """The branch is seen to be at the commit; say so where it was not us who moved it there."""
    state = draft.state
    if tip != state.tip:
        draft.notice(
            f"Somebody else moved {state.branch}; the run goes on from what it holds now. "
            f"`git reflog show {state.branch}` has what it held before."
        )
    draft.set(tip=tip)


def _merged(draft: Draft, task: TaskState, event: WorkMerged) -> None:
    if task.onto in {None, draft.state.tip}:
        _stand_on(draft, event.tip)
    elif event.candidate == event.tip:
        _wait_for_batch(draft, task)  # what it repeats has not landed yet
        return
    task = draft.change(task.id, tip=event.tip, candidate=event.candidate)
    if event.candidate == event.tip:
        leave_queue(draft, task)
        draft.move(task.id, Phase.DONE, reason="its change had landed already")
    else:
        stage = LandingStage.MERGED if is_gated(draft.state) else LandingStage.PASSED
        draft.change(task.id, landing_stage=stage)


def _wait_for_batch(draft: Draft, task: TaskState) -> None:
    """It can't be tested together with those before it, and is merged again once they landed."""
    draft.move(
        task.id, Phase.QUEUED, landing_stage=None, candidate=None, onto=None, clashes_with=task.onto
    )


def _landed(draft: Draft, task: TaskState, event: BranchMoved) -> None:
    leave_queue(draft, task)
    draft.set(tip=event.commit)
    draft.move(task.id, Phase.LANDED, landed=event.commit, failure=None, stop=None, reason="")
    if draft.state.land_status is LandStatus.LANDED:  # the user's branch lacks this commit
        draft.set(land_status=LandStatus.NOT_ASKED, land_detail="")


def _conflicted(draft: Draft, task: TaskState, event: MergeConflicted) -> None:
    """The ladder: the task again on the new tip, then alone, then as the fallback says."""
    state = draft.state
    leave(draft, task)
    _stand_on(draft, event.tip)
    task = draft.change(task.id, tip=event.tip)
    rung = next_rung(state, task, is_by_hand=_was_settled_by_hand(draft, task.id))
    _record(draft, event, rung.decision, rung.reason)
    if rung.decision is Decision.RERUN:
        lesson = conflict_lesson(task, event) if draft.spec(task.id).brief else ""
        task = draft.change(task.id, reruns=task.reruns + 1, lesson=lesson, seed=None)
        climb(draft, task, rung, _what_met(event))
    elif rung.decision is Decision.ABORTED:
        draft.move(task.id, Phase.CONFLICT, reason=_what_met(event))
        draft.notice(f"Task {task.id}: {_what_met(event)}; fallback_mode is abort: the run ends.")
        abort_run(draft)
    else:
        draft.move(task.id, Phase.CONFLICT, reason=_what_met(event))
        if state.rules.fallback is FallbackMode.SEQUENTIAL:
            one_by_one(draft, f"{task.id} has an open conflict")
    slow_down(draft)


def _was_settled_by_hand(draft: Draft, task_id: TaskId) -> bool:
    """A person's own result is never thrown away for a rerun."""
    met = [
        (conflict.decided_at or 0.0, conflict.decision)
        for conflict in draft.state.conflicts
        if conflict.tasks[0] == task_id and conflict.met_at is not None
    ]
    return bool(met) and max(met, key=itemgetter(0))[1] in _BY_HAND


def _what_met(event: MergeConflicted) -> str:
    paths = [file.path for file in event.files]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    against = f" with {', '.join(event.against)}" if event.against else ""
    return f"conflict in {paths[0] if paths else 'the tree'}{more}{against}"


def _record(draft: Draft, event: MergeConflicted, decision: Decision | None, reason: str) -> None:
    meet(
        draft,
        (event.task, *event.against),
        decision,
        reason=reason,
        files=event.files,
        tip=event.tip,
    )
