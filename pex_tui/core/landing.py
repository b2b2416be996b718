"""The merge queue: one task at a time is merged, gated and moved onto the integration branch."""

from pex_tui.core.actions import MoveBranch, RunGate
from pex_tui.core.attempts import ready, why_aborted
from pex_tui.core.combination import (
    as_conflict,
    combination_of,
    failed_words,
    merge_work,
    record_combination,
    was_settled_by_hand,
)
from pex_tui.core.disputes import close, record
from pex_tui.core.draft import Draft
from pex_tui.core.events import (
    BranchMoved,
    BranchMoveRefused,
    ConflictDecided,
    GateFinished,
    LandingFailed,
    MergeConflicted,
    WorkMerged,
)
from pex_tui.core.ids import TaskId
from pex_tui.core.lessons import conflict_lesson, gate_lesson
from pex_tui.core.phases import LandingStage, Phase
from pex_tui.core.plan import GatePolicy
from pex_tui.core.queue import enqueue, leave_queue
from pex_tui.core.rules import FallbackMode
from pex_tui.core.state import (
    ConflictKind,
    Decision,
    Failure,
    FailureKind,
    LandStatus,
    RunState,
    StopCause,
    TaskState,
)
from pex_tui.core.stopping import abort_run

LandingEvent = (
    WorkMerged | MergeConflicted | GateFinished | BranchMoved | BranchMoveRefused | LandingFailed
)


def landing_event(draft: Draft, event: LandingEvent) -> None:
    """Apply news of the queue's head; news of anything else comes too late and changes nothing."""
    task = draft.task(event.task)
    if task.phase is not Phase.LANDING or task.attempt != event.attempt:
        return
    match event, task.landing_stage:
        case BranchMoved(), LandingStage.MOVING:
            _landed(draft, task, event)
        case (_, _) if task.stop is StopCause.ABORT:
            leave_queue(draft, task)
            draft.move(task.id, Phase.ABORTED, reason=why_aborted(draft.state))
        case WorkMerged(), LandingStage.MERGING:
            _merged(draft, task, event)
        case MergeConflicted(), LandingStage.MERGING:
            _conflicted(draft, task, event)
        case GateFinished(), LandingStage.GATING | LandingStage.GATING_BASE:
            _gated(draft, task, event)
        case BranchMoveRefused(), LandingStage.MOVING:
            _merge(draft, task.id)
        case LandingFailed(), _:
            leave_queue(draft, task)
            failure = Failure(FailureKind.LANDING, event.detail)
            draft.move(task.id, Phase.FAILED, failure=failure, reason=event.detail)
        case _:
            pass


def advance_queue(draft: Draft) -> None:
    """Take up the next task once the head has left."""
    queue = draft.state.landing
    if queue and draft.task(queue[0]).phase is Phase.QUEUED:
        draft.move(queue[0], Phase.LANDING)
        _merge(draft, queue[0])


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


def _merge(draft: Draft, task_id: TaskId) -> None:
    task = draft.change(task_id, landing_stage=LandingStage.MERGING, combination=None)
    if task.work is None:
        raise AssertionError(f"task {task_id} is in the merge queue without work")
    draft.act(merge_work(draft.state, task, task.work))


def _merged(draft: Draft, task: TaskState, event: WorkMerged) -> None:
    draft.set(tip=event.tip)
    combination = combination_of(event)
    task = draft.change(task.id, tip=event.tip, candidate=event.candidate, combination=combination)
    if event.candidate == event.tip:
        leave_queue(draft, task)
        record_combination(draft, task)
        draft.move(task.id, Phase.DONE, reason="its change had landed already")
    elif draft.state.plan.verify and not draft.state.gate_off:
        draft.change(task.id, landing_stage=LandingStage.GATING)
        draft.act(RunGate(task.id, task.attempt, event.candidate))
    elif combination is not None:  # no gate would judge it
        _conflicted(draft, task, as_conflict(task, combination))
    else:
        _move(draft, task)


def _move(draft: Draft, task: TaskState) -> None:
    if task.tip is None or task.candidate is None:
        raise AssertionError(f"task {task.id} is to land without a merge")
    draft.change(task.id, landing_stage=LandingStage.MOVING)
    draft.act(MoveBranch(task.id, task.attempt, task.tip, task.candidate))


def _landed(draft: Draft, task: TaskState, event: BranchMoved) -> None:
    leave_queue(draft, task)
    draft.set(tip=event.commit)
    record_combination(draft, task)
    draft.move(task.id, Phase.LANDED, landed=event.commit, failure=None, stop=None, reason="")
    if draft.state.land_status is LandStatus.LANDED:  # the user's branch lacks this commit
        draft.set(land_status=LandStatus.NOT_ASKED, land_detail="")


def _gated(draft: Draft, task: TaskState, event: GateFinished) -> None:
    if task.landing_stage is LandingStage.GATING_BASE:
        if event.commit != draft.state.base:
            return
        draft.set(base_gate_red=not event.passed)
        _judge(draft, task)
    elif event.commit != task.candidate:
        return
    elif event.passed:
        _move(draft, draft.change(task.id, failure=None))
    elif task.combination is not None:  # nobody's work is to blame: it is the conflict that it was
        draft.notice(f"{task.id}: {failed_words(task.combination)}")
        _conflicted(draft, task, as_conflict(task, task.combination))
    else:
        detail = f"the gate failed: {event.command}"
        task = draft.change(task.id, failure=Failure(FailureKind.GATE, detail, event.output))
        if draft.state.base_gate_red is None:
            draft.change(task.id, landing_stage=LandingStage.GATING_BASE)
            draft.act(RunGate(task.id, task.attempt, draft.state.base))
        else:
            _judge(draft, task)


def _judge(draft: Draft, task: TaskState) -> None:
    """The gate is red on the work: find out whose fault that is, and if a retry is worth it."""
    state = draft.state
    if state.base_gate_red and state.plan.gate is GatePolicy.OFF:
        draft.set(gate_off=True)
        draft.notice("The gate is red on the base as well; `gate: off` lands without it.")
        _move(draft, draft.change(task.id, failure=None))
        return
    if state.base_gate_red and not any("red on the base" in text for text in state.notices):
        draft.notice(
            "The gate is red on the base as well, so only work that turns it green can land. "
            "Mend the base, or set `gate: off` in the plan."
        )
    leave_queue(draft, task)
    detail = task.failure.detail if task.failure else "the gate failed"
    if draft.spec(task.id).brief is not None and task.gate_reruns < _retries(state, task):
        output = task.failure.output if task.failure else ""
        reruns = task.gate_reruns + 1
        lesson = gate_lesson(detail, output)
        draft.change(task.id, gate_reruns=reruns, lesson=lesson, seed=task.candidate)
        ready(draft, task, f"again, as {detail}")
    elif task.tip != task.start_commit and task.gate_reruns == 0:
        draft.change(task.id, gate_reruns=1)
        ready(draft, task, "again, on the newest tip: the gate failed on the merge")
    else:
        draft.move(task.id, Phase.FAILED, reason=detail)


def _retries(state: RunState, task: TaskState) -> int:
    own = state.spec(task.id).retries
    return state.rules.max_retries if own is None else own


def _conflicted(draft: Draft, task: TaskState, event: MergeConflicted) -> None:
    """The ladder: the task again on the new tip, then the fallback, then a person."""
    state = draft.state
    leave_queue(draft, task)
    draft.set(tip=event.tip)
    draft.change(task.id, tip=event.tip, combination=None)
    retried = state.rules.auto_resolve and task.reruns < state.rules.max_retries
    if retried and not was_settled_by_hand(state, task.id):
        _record(draft, event, Decision.RERUN)
        lesson = conflict_lesson(task, event) if draft.spec(task.id).brief else ""
        draft.change(task.id, reruns=task.reruns + 1, lesson=lesson, seed=None)
        ready(draft, task, f"again, on the newest tip: {_what_met(event)}")
    elif state.rules.fallback is FallbackMode.ABORT:
        _record(draft, event, Decision.ABORTED)
        draft.move(task.id, Phase.CONFLICT, reason=_what_met(event))
        draft.notice(f"Task {task.id}: {_what_met(event)}; fallback_mode is abort: the run ends.")
        abort_run(draft)
    else:
        _record(draft, event, None)
        draft.move(task.id, Phase.CONFLICT, reason=_what_met(event))
        if state.rules.fallback is FallbackMode.SEQUENTIAL and not state.sequential:
            draft.set(sequential=True)
            draft.notice("A conflict is unresolved: from here on, tasks that write go one by one.")


def _what_met(event: MergeConflicted) -> str:
    paths = [file.path for file in event.files]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    against = f" with {', '.join(event.against)}" if event.against else ""
    return f"conflict in {paths[0] if paths else 'the tree'}{more}{against}"


def _record(draft: Draft, event: MergeConflicted, decision: Decision | None) -> None:
    record(
        draft,
        ConflictKind.WRITE,
        (event.task, *event.against),
        decision,
        files=event.files,
        tip=event.tip,
        seen_at=event.at,
        met_at=event.at,
    )
