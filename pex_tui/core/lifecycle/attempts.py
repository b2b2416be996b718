"""Transitions of an attempt: start, pause, exit, capture, retry and failure."""

from msgspec.structs import asdict

from pex_tui.core.events.actions import (
    AdoptAgent,
    CaptureWork,
    PauseAgent,
    ResumeAgent,
    StartAgent,
    StopAgent,
)
from pex_tui.core.events.capture_events import CaptureFailed, WorkCaptured
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentPaused,
    AgentProgressed,
    AgentResumed,
    AgentStarted,
    AttemptEvent,
    AttemptReturned,
    TaskDispatched,
    WorkspacePrepared,
)
from pex_tui.core.formatting import counted, listed
from pex_tui.core.lifecycle.attempt_failures import fail, teach
from pex_tui.core.lifecycle.conflict_log import PEX, record_conflict
from pex_tui.core.lifecycle.git_refusals import retry_after_refusal
from pex_tui.core.lifecycle.merge_queue import enqueue
from pex_tui.core.lifecycle.retry_prompts import (
    AGAIN,
    DEADLOCKED,
    INTERRUPTED,
    YIELDED,
)
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.memory import use_words
from pex_tui.core.model.phases import HOLDS_SLOT, Phase, RunStage
from pex_tui.core.model.plan import Expects
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import (
    AttemptState,
    Failure,
    FailureKind,
    StopCause,
    TaskState,
)
from pex_tui.core.model.unlanded import told, why_nothing

_LESSONS = {  # for an attempt that was stopped to run again
    StopCause.RERUN: AGAIN,
    StopCause.INTERRUPT: INTERRUPTED,
    StopCause.YIELD: YIELDED,
    StopCause.DEADLOCK: DEADLOCKED,
}


def apply_task_dispatched(draft: Draft, event: TaskDispatched) -> None:
    """Give the task its slot and a new attempt."""
    before = draft.task(event.task)
    draft.move(
        event.task,
        Phase.STARTING,
        **asdict(AttemptState()),
        attempt=event.attempt,
        slot=event.slot,
        dispatched_at=draft.now,
        near=before.workspace or before.near,
    )
    if event.attempt == before.found:
        draft.act(AdoptAgent(event.task, event.attempt, event.slot))
    else:
        draft.act(StartAgent(event.task, event.attempt, event.slot))


def apply_attempt_event(draft: Draft, event: AttemptEvent) -> None:
    """Apply an event of an attempt; late events of an earlier one change nothing."""
    task = draft.task(event.task)
    if event.attempt != task.attempt:
        return
    match event:
        case WorkspacePrepared():
            draft.change(task.id, workspace=event.path, start_commit=event.commit)
        case AgentStarted():
            _apply_agent_started(draft, task, event)
        case AgentProgressed() if task.phase in HOLDS_SLOT:
            draft.change(task.id, progress=event.progress, activity=event.activity)
        case AgentPaused() if task.phase is Phase.RUNNING:
            draft.move(task.id, Phase.PAUSED, paused_at=draft.now)
            if not wants_pause(draft.state, task):
                draft.act(ResumeAgent(task.id, task.attempt))
        case AgentResumed() if task.phase is Phase.PAUSED:
            _apply_agent_resumed(draft, task)
        case AgentExited() if task.phase in HOLDS_SLOT:
            _apply_agent_exited(draft, task, event)
        case AttemptReturned() if task.phase in HOLDS_SLOT:
            _apply_attempt_returned(draft, task, event)
        case WorkCaptured() if task.phase is Phase.CAPTURING:
            _apply_work_captured(draft, task, event)
        case CaptureFailed() if task.phase is Phase.CAPTURING:
            _apply_capture_failed(draft, task, event)
        case _:
            pass


def why_aborted(state: RunState) -> str:
    """Return who or what aborted the tasks, for a person."""
    if state.rules.fail_fast and any(task.phase is Phase.FAILED for task in state.tasks):
        return "aborted: another task failed, and the first failure was to end the run"
    if any(one.decision is Decision.ABORTED and one.resolved_by == PEX for one in state.conflicts):
        return "aborted: a conflict stayed unresolved, and fallback_mode is abort"
    return "aborted by you"


def wants_pause(state: RunState, task: TaskState) -> bool:
    """Return whether the task, or the whole run, is to be paused."""
    wanted = task.held or task.squeezed or task.yields_to is not None
    return wanted or state.stage is RunStage.PAUSED


def stop(draft: Draft, task: TaskState, cause: StopCause) -> None:
    """Stop a live attempt; its work so far is captured."""
    grace = draft.state.rules.grace_seconds
    if task.phase is Phase.STOPPING:
        draft.change(task.id, stop=cause)
    else:
        draft.move(task.id, Phase.STOPPING, stop=cause)
    draft.act(StopAgent(task.id, task.attempt, grace))


def ready(draft: Draft, task: TaskState, reason: str = "") -> None:
    """Queue the task for another attempt."""
    draft.move(
        task.id, Phase.READY, ready_at=draft.now, retry_at=None, wait=None, slot=None, reason=reason
    )


def _apply_agent_started(draft: Draft, task: TaskState, event: AgentStarted) -> None:
    """Apply a start; for an adopted attempt, keep the phase and repeat unfinished orders.

    The previous engine may have died between an order and its journaled answer, so an adopted
    attempt is frozen or resumed once more, as the journal has it.
    """
    changes = {
        "started_at": event.started_at,
        "pid": event.pid,
        "listens": event.listens,
        "tier": event.tier,
    }
    if task.phase is Phase.STARTING:
        draft.move(task.id, Phase.RUNNING, **changes)
    elif task.phase in HOLDS_SLOT:
        draft.change(task.id, **changes)
    if task.phase is Phase.STOPPING:
        draft.act(StopAgent(task.id, task.attempt, draft.state.rules.grace_seconds))
    elif task.phase in HOLDS_SLOT and wants_pause(draft.state, task):
        if task.phase is Phase.PAUSED and event.listens:
            return  # paused from the moment of its adoption
        draft.act(PauseAgent(task.id, task.attempt, gently=event.listens))
    elif task.phase in {Phase.RUNNING, Phase.PAUSED}:
        draft.act(ResumeAgent(task.id, task.attempt))


def _apply_agent_resumed(draft: Draft, task: TaskState) -> None:
    frozen_at = draft.now if task.paused_at is None else task.paused_at
    draft.move(
        task.id,
        Phase.RUNNING,
        paused_at=None,
        paused_seconds=task.paused_seconds + draft.now - frozen_at,
    )
    if wants_pause(draft.state, task):
        draft.act(PauseAgent(task.id, task.attempt, gently=task.listens))


def _apply_agent_exited(draft: Draft, task: TaskState, event: AgentExited) -> None:
    failure = None if event.failure is None else Failure(event.failure, event.detail)
    if task.stop is StopCause.TIMEOUT:
        limit = draft.spec(task.id).timeout_seconds or 0.0
        failure = Failure(FailureKind.TIMEOUT, f"still running after its timeout of {limit:g} s")
    elif task.stop is StopCause.MEMORY:
        failure = Failure(FailureKind.MEMORY, task.reason)
    elif event.failure is FailureKind.MEMORY:
        use = use_words(event.peak_bytes or 0, draft.spec(task.id), draft.state.rules)
        failure = Failure(FailureKind.MEMORY, f"{event.detail}: {use}")
    draft.change(
        task.id,
        failure=failure,
        exit_code=event.exit_code,
        peak_bytes=event.peak_bytes,
        cpu_seconds=event.cpu_seconds,
        needed_bytes=max(task.needed_bytes, event.peak_bytes or 0),
    )
    _capture(draft, task, exited_at=event.exited_at)


def _apply_attempt_returned(draft: Draft, task: TaskState, event: AttemptReturned) -> None:
    """Return a task whose attempt never had a process, so there is nothing to keep.

    If the attempt is known to have run, its records are gone, and its leftovers are captured.
    """
    if task.started_at is not None:
        lost = Failure(FailureKind.LOST, "the records of its process are missing")
        draft.change(task.id, failure=lost)
        _capture(draft, task, exited_at=draft.now)
    elif task.stop is StopCause.ABORT:
        draft.move(task.id, Phase.ABORTED, reason=why_aborted(draft.state))
    else:
        stopped = draft.change(task.id, stop=task.stop or StopCause.INTERRUPT, held=False)
        ready(draft, stopped, event.reason)


def _capture(draft: Draft, task: TaskState, exited_at: float) -> None:
    frozen = 0.0 if task.paused_at is None else max(0.0, exited_at - task.paused_at)
    draft.move(
        task.id,
        Phase.CAPTURING,
        slot=None,
        paused_at=None,
        paused_seconds=task.paused_seconds + frozen,
        exited_at=exited_at,
        pid=None,
    )
    draft.act(CaptureWork(task.id, task.attempt))


def _apply_work_captured(draft: Draft, task: TaskState, event: WorkCaptured) -> None:
    files = frozenset(event.files)
    seen = [path for path in task.drift if path in files]
    drift = tuple(dict.fromkeys((*event.drift, *seen)))
    task = draft.change(
        task.id,
        work=event.work,
        files=event.files,
        drift=drift,
        own_commits=event.own_commits,
        unlanded=event.unlanded,
    )
    for oddity in event.oddities:
        draft.notice(f"{task.id} {oddity}.")
    if event.left_out:
        draft.notice(f"{task.id} made files too large for git: {', '.join(event.left_out)}")
    for intrusion in event.intrusions:
        draft.notice(intrusion)
    for found in event.unlanded:
        draft.notice(told(task.id, found))
    failure = task.failure or _broken_promise(draft, task, event)
    if task.stop is StopCause.ABORT:
        draft.move(task.id, Phase.ABORTED, reason=why_aborted(draft.state))
    elif task.stop in _LESSONS:
        earlier = None if task.stop is StopCause.RERUN else event.work or task.earlier
        draft.change(task.id, earlier=earlier)
        seed = None if task.stop is StopCause.RERUN else event.work
        teach(draft, task, _LESSONS[task.stop], seed)
        ready(draft, draft.change(task.id, held=False), task.reason)
    elif failure is not None:
        fail(draft, task, failure)
    elif event.lacking and task.earlier is not None:
        _lacks(draft, task, task.earlier)
    elif event.work is None:
        draft.move(task.id, Phase.DONE, progress=1.0, reason=_nothing_to_land(draft, task, event))
    else:
        enqueue(draft, draft.change(task.id, progress=1.0))


def _apply_capture_failed(draft: Draft, task: TaskState, event: CaptureFailed) -> None:
    """Retry a failed capture, or rerun the attempt if its work is gone with its workspace."""
    if not event.gone:
        retry_after_refusal(draft, task, event)
    elif task.stop is StopCause.ABORT:
        draft.move(task.id, Phase.ABORTED, reason=why_aborted(draft.state))
    elif task.stop in _LESSONS or task.attempt == task.found:
        ready(draft, draft.change(task.id, held=False), event.detail)
    else:
        fail(draft, task, Failure(FailureKind.LOST, event.detail))


def _lacks(draft: Draft, task: TaskState, earlier: CommitId) -> None:
    """Ask a person: a rerun changed nothing, but the tip lacks the earlier attempt's change."""
    reason = "the rerun changed nothing, but the tip lacks its earlier change"
    record_conflict(
        draft,
        ConflictKind.WRITE,
        (task.id,),
        None,
        reason=f"{reason}: it waits for a person",
        conflicting_at=draft.now,
        tip=draft.state.tip,
        detail=f"{reason}; that is kept as {earlier[:10]}",
    )
    draft.move(task.id, Phase.CONFLICT, work=earlier, reason=f"{reason} (kept: {earlier[:10]})")


def _nothing_to_land(draft: Draft, task: TaskState, event: WorkCaptured) -> str:
    why = why_nothing(task.unlanded)
    if why:
        return f"done, but {why}"
    if event.outputs:
        return f"done, wrote {counted(event.outputs, 'output')}"
    if draft.spec(task.id).is_read_only:
        return "done"
    again = "reran on the latest commit and changed nothing"
    return again if task.reruns else "done, changed nothing"


def _broken_promise(draft: Draft, task: TaskState, event: WorkCaptured) -> Failure | None:
    """Return a failure for a broken promise of the task, or for unwanted content in its work."""
    if event.markers:
        return Failure(FailureKind.MARKERS, f"it left conflict markers in {listed(event.markers)}")
    expects = draft.spec(task.id).expects
    if event.trespass:
        return Failure(FailureKind.UNEXPECTED_CHANGES, _trespass(draft.state, task, event.trespass))
    if expects is Expects.NONE and event.work is not None:
        return Failure(
            FailureKind.UNEXPECTED_CHANGES,
            f"it promised to change nothing but changed {listed(event.files)}",
        )
    if expects is Expects.CHANGES and event.work is None and not (task.reruns or task.gate_reruns):
        why = why_nothing(event.unlanded)
        words = f"it promised changes, and {why}" if why else "it promised changes and made none"
        return Failure(FailureKind.NO_CHANGES, words)
    return None


def _trespass(state: RunState, task: TaskState, paths: tuple[str, ...]) -> str:
    """Describe tracked files changed in a shared checkout, by one of its readers."""
    others = [
        other.id
        for other in state.tasks
        if other.id != task.id
        and other.workspace == task.workspace
        and (other.exited_at is None or other.exited_at > (task.started_at or state.now))
    ]
    if not others:
        rule = "a task that writes has to declare `writes`"
        return f"it changed {listed(paths)} and declares `writes: []`; {rule}"
    rule = "whichever of them writes has to declare `writes`"
    return (
        f"{listed(paths)} changed in the checkout that it shared with {', '.join(others)}; {rule}"
    )
