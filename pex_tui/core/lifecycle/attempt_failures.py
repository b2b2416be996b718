"""Failed attempts: another try after a delay, or the end of the task."""

from random import Random

from pex_tui.core.formatting import size
from pex_tui.core.lifecycle.backoff import backoff_seconds
from pex_tui.core.lifecycle.conflict_log import record_conflict
from pex_tui.core.lifecycle.rate_limits import MOST_REFUSALS, limit_provider
from pex_tui.core.lifecycle.retry_prompts import failure_lesson
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.memory import needed_bytes
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.task_state import PERMANENT, Failure, FailureKind, TaskState

_OF_MEMORY = frozenset({FailureKind.MEMORY, FailureKind.OVER_MEMORY})


def fail(draft: Draft, task: TaskState, failure: Failure) -> None:
    """Retry after a delay, unless a retry can't help or the retries are used up."""
    rules = draft.state.rules
    allowed = draft.spec(task.id).retries
    allowed = rules.max_retries if allowed is None else allowed
    teach(draft, task, failure_lesson(failure.detail), seed=task.work)
    if failure.kind is FailureKind.LIMIT and _waits_for_provider(draft, task, failure):
        return
    if failure.kind is FailureKind.MEMORY and _waits_for_room(draft, task, failure):
        return
    failures = task.failures + 1
    earlier = task.work if failure.kind is FailureKind.LOST and task.work else task.earlier
    draft.change(task.id, failures=failures, failure=failure, earlier=earlier)
    is_last = failure.kind in PERMANENT or failures > allowed
    if failure.kind in _OF_MEMORY:
        record_conflict(
            draft,
            ConflictKind.MEMORY,
            (task.id,),
            Decision.FAILED if is_last else Decision.RERUN,
            reason="a rerun waits for what it needed" if not is_last else "it would need as much",
            conflicting_at=draft.now,
            detail=failure.detail,
        )
    if is_last:
        draft.move(task.id, Phase.FAILED, reason=failure.detail)
        return
    retry_at = draft.now + backoff_seconds(draft.state, task.id, failures)
    draft.move(
        task.id,
        Phase.BACKOFF,
        retry_at=retry_at,
        reason=f"retry {failures}/{allowed}: {failure.detail}",
    )


def _waits_for_provider(draft: Draft, task: TaskState, failure: Failure) -> bool:
    """Return whether the task waits for its provider: a refusal costs no try until the last."""
    limit = limit_provider(draft, draft.spec(task.id), None)
    if limit is None or limit.hits > MOST_REFUSALS:
        return False
    jitter = Random(f"{draft.state.seed}/{task.id}/{limit.hits}").uniform(0.0, 3.0)  # noqa: S311
    reason = f"rate limit of {limit.provider}"
    draft.change(task.id, failure=failure)
    draft.move(task.id, Phase.BACKOFF, retry_at=limit.until + jitter, reason=reason)
    return True


def _waits_for_room(draft: Draft, task: TaskState, failure: Failure) -> bool:
    """Return whether the task waits until twice what it used is free: that costs no try.

    It was not done when it was ended, so it needs more. A task that needs more than there is has
    been alone: it is tried again as often as any.
    """
    state = draft.state
    needed = needed_bytes(task, draft.spec(task.id), state.rules)
    if state.semantics < Semantics.ROOM_IS_LEARNED or state.memory is None:
        return False
    if needed > state.memory.budget_bytes:
        return False
    room = f"a rerun waits until {size(2 * needed)} is free"
    record_conflict(
        draft,
        ConflictKind.MEMORY,
        (task.id,),
        Decision.RERUN,
        reason=room,
        conflicting_at=draft.now,
        detail=failure.detail,
    )
    draft.change(task.id, failure=failure, needed_bytes=2 * needed)
    delay = backoff_seconds(state, task.id, max(1, task.failures))
    draft.move(
        task.id, Phase.BACKOFF, retry_at=draft.now + delay, reason=f"{room}: {failure.detail}"
    )
    return True


def teach(draft: Draft, task: TaskState, lesson: str, seed: CommitId | None) -> None:
    """Leave a lesson for the next attempt; a plain command starts from scratch each time."""
    if draft.spec(task.id).brief is not None:
        draft.change(task.id, lesson=lesson, seed=seed)
