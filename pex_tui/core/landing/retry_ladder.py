"""The retry ladder for conflicts at landing: reruns, then the fallback, then a person.

The task reruns on the newest tip: at once the first time, as that tip contains the conflicting
change; later after a delay, so that more of the landings under way are included. Every attempt has
a workspace of its own, so there is nothing further to isolate. When `max_retries` reruns did not
help and the fallback is sequential, the task runs once more without other writers, so that nothing
can land before it. A conflict that remains even then is left to a person, with the work kept.
"""

from msgspec import Struct

from pex_tui.core.lifecycle.attempts import ready
from pex_tui.core.lifecycle.backoff import backoff_seconds
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.run_rules import FallbackMode
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState

_LEAST_LANDINGS = 4  # fewer landings give no meaningful conflict rate
_LEAST_CONFLICTS = 2


class Rung(Struct, frozen=True):
    """The next step of the ladder, and its reason; the step None leaves the conflict open.

    A rerun starts after the delay, or `alone`: without other writers.
    """

    decision: Decision | None
    reason: str
    delay_seconds: float = 0.0
    alone: bool = False


def next_rung(state: RunState, task: TaskState, *, is_by_hand: bool) -> Rung:
    """Return the next rung for a task whose work does not merge.

    A person's own result is never discarded for a rerun.
    """
    rules, reruns = state.rules, task.reruns
    has_ladder = state.semantics >= Semantics.LADDER
    if rules.auto_resolve and not is_by_hand and rules.max_retries:
        if reruns < rules.max_retries:
            return _rerun(state, task)
        if has_ladder and reruns == rules.max_retries and _goes_one_by_one(state):
            told = f"{reruns} reruns did not help, and fallback_mode is sequential"
            return Rung(Decision.RERUN, f"once more, without other writers: {told}", alone=True)
    why = _why_no_rerun(state, task, is_by_hand=is_by_hand)
    if rules.fallback is FallbackMode.ABORT:
        return Rung(Decision.ABORTED, f"{why}, and fallback_mode is abort")
    return Rung(None, f"{why}: it waits for a person")


def _goes_one_by_one(state: RunState) -> bool:
    return state.rules.fallback is FallbackMode.SEQUENTIAL


def queue_rerun(draft: Draft, task: TaskState, rung: Rung, what: str) -> None:
    """Queue the task for its rerun; `what` describes the conflict."""
    if rung.alone:
        serialise_writers(draft, f"{task.id} could not land in parallel with others")
    if rung.delay_seconds:
        at = draft.now + rung.delay_seconds
        draft.move(task.id, Phase.BACKOFF, retry_at=at, failure=None, wait=None, reason=what)
    else:
        ready(draft, task, f"again, on the latest commit: {what}")


def serialise_writers(draft: Draft, reason: str) -> None:
    """Run writers one at a time from now on; report it once."""
    if not draft.state.sequential:
        draft.set(sequential=True, sequential_since=draft.now, sequential_reason=reason)
        draft.notice(f"From now on, tasks that write run one at a time: {reason}.")


def serialise_after_conflicts(draft: Draft) -> None:
    """Run writers one at a time if too large a share of the landings had a conflict."""
    state = draft.state
    if state.semantics < Semantics.LADDER:
        return
    conflicted = {
        one.tasks[0]
        for one in state.conflicts
        if one.kind is ConflictKind.WRITE and one.conflicting_at is not None
    }
    landings = conflicted | {task.id for task in state.tasks if task.landed or task.candidate}
    enough = len(landings) >= _LEAST_LANDINGS and len(conflicted) >= _LEAST_CONFLICTS
    if enough and len(conflicted) > state.rules.sequential_above * len(landings):
        serialise_writers(draft, f"{len(conflicted)} of {len(landings)} landings had a conflict")


def _rerun(state: RunState, task: TaskState) -> Rung:
    number = task.reruns + 1
    count = f"rerun {number} of {state.rules.max_retries}"
    if number == 1 or state.semantics < Semantics.LADDER:
        why = "at once, on the latest commit, which has the conflicting change"
        return Rung(Decision.RERUN, f"{count}, {why}")
    delay = backoff_seconds(state, task.id, task.reruns)
    why = "so that other landings under way are included"
    return Rung(Decision.RERUN, f"{count}, after {delay:.1f} s, {why}", delay)


def _why_no_rerun(state: RunState, task: TaskState, *, is_by_hand: bool) -> str:
    if is_by_hand:
        return "a person's own result is not thrown away for a rerun"
    if not state.rules.auto_resolve:
        return "auto_resolve is off"
    return f"{task.reruns} reruns did not help" if task.reruns else "max_retries is 0"
