"""Retries of a step that git refused, from the work that is kept and never from the start."""

from pex_tui.core.events.actions import CaptureWork
from pex_tui.core.events.capture_events import CaptureFailed
from pex_tui.core.events.landing_events import LandingFailed
from pex_tui.core.lifecycle.backoff import backoff_seconds
from pex_tui.core.lifecycle.merge_queue import enqueue
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.task_state import Failure, FailureKind, TaskState

MOST_REFUSALS = 6
"""Retries of a refused step in a row: about a minute."""
_STEPS = {FailureKind.CAPTURE: Phase.CAPTURING, FailureKind.LANDING: Phase.QUEUED}


def retry_after_refusal(
    draft: Draft, task: TaskState, event: CaptureFailed | LandingFailed
) -> None:
    """Retry the refused step after a delay, or give up; the work stays where it is."""
    is_capture = isinstance(event, CaptureFailed)
    kind = FailureKind.CAPTURE if is_capture else FailureKind.LANDING
    refusals = task.refusals + 1
    if not event.passing or refusals > MOST_REFUSALS:
        failure = Failure(kind, event.detail)
        draft.move(task.id, Phase.FAILED, failure=failure, reason=event.detail, refusals=0)
        return
    if not is_capture:
        enqueue(draft, draft.change(task.id, candidate=None, onto=None, failure=None))
    draft.change(
        task.id,
        refusals=refusals,
        retry_at=draft.now + backoff_seconds(draft.state, task.id, refusals),
        reason=f"git refused, again soon ({refusals} of {MOST_REFUSALS}): {event.detail}",
    )


def try_step_again(draft: Draft, task: TaskState) -> None:
    """Retry a refused capture; the merge queue retries landings itself."""
    draft.change(task.id, retry_at=None)
    if task.phase is Phase.CAPTURING:
        draft.act(CaptureWork(task.id, task.attempt))


def take_up_step(draft: Draft, task: TaskState) -> bool:
    """Resume at the step at which git refused; return False if the task failed otherwise."""
    phase = _STEPS.get(task.failure.kind) if task.failure else None
    if draft.state.semantics < Semantics.ONE_WAIT_GRAPH:
        return False  # an attempt without kept work restarts
    if task.phase is not Phase.FAILED or phase is None:
        return False
    if phase is Phase.QUEUED and task.work is None:
        return False
    task = draft.change(task.id, ended_at=None, failure=None, stop=None, reason="")
    if phase is Phase.QUEUED:
        enqueue(draft, task)
    else:
        draft.move(task.id, phase)
        draft.act(CaptureWork(task.id, task.attempt))
    return True
