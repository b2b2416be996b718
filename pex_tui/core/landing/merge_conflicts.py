"""Handling and record of work that does not merge onto what has landed."""

from pex_tui.core.events.landing_events import MergeConflicted
from pex_tui.core.landing.retry_ladder import (
    next_rung,
    queue_rerun,
    serialise_after_conflicts,
    serialise_writers,
)
from pex_tui.core.lifecycle.conflict_log import record_landing_conflict
from pex_tui.core.lifecycle.merge_queue import leave_queue
from pex_tui.core.lifecycle.retry_prompts import conflict_lesson
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.lifecycle.stopping import abort_run
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.run_rules import FallbackMode
from pex_tui.core.model.task_state import TaskState


def adopt_tip(draft: Draft, tip: CommitId) -> None:
    """Set the tip to the commit that landed last; report one that the journal did not know."""
    state = draft.state
    if tip != state.tip:
        draft.notice(
            f"{state.branch} holds more of this run than its journal knew; the run continues from "
            f"there. `git log {state.branch}` shows it."
        )
    draft.set(tip=tip)


def apply_merge_conflicted(draft: Draft, task: TaskState, event: MergeConflicted) -> None:
    """Climb the ladder: rerun on the new tip, then rerun alone, then apply the fallback."""
    state = draft.state
    leave_queue(draft, task)
    adopt_tip(draft, event.tip)
    task = draft.change(task.id, tip=event.tip, auto_resolution=None, failure=None)
    rung = next_rung(state, task, is_by_hand=task.own_work is not None)
    record_landing_conflict(
        draft,
        (event.task, *event.against),
        rung.decision,
        reason=rung.reason,
        files=event.files,
        tip=event.tip,
        conflicting_at=event.at,
    )
    if rung.decision is Decision.RERUN:
        lesson = conflict_lesson(task, event) if draft.spec(task.id).brief else ""
        task = draft.change(
            task.id, reruns=task.reruns + 1, lesson=lesson, seed=None, earlier=task.work
        )
        queue_rerun(draft, task, rung, _conflict_text(event))
    elif rung.decision is Decision.ABORTED:
        draft.move(task.id, Phase.CONFLICT, reason=_conflict_text(event))
        draft.notice(
            f"Task {task.id}: {_conflict_text(event)}; fallback_mode is abort: the run ends."
        )
        abort_run(draft)
    else:
        draft.move(task.id, Phase.CONFLICT, reason=_conflict_text(event))
        if state.rules.fallback is FallbackMode.SEQUENTIAL:
            serialise_writers(draft, f"{task.id} has an open conflict")
    serialise_after_conflicts(draft)


def _conflict_text(event: MergeConflicted) -> str:
    paths = [file.path for file in event.files]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    against = f" with {', '.join(event.against)}" if event.against else ""
    return f"conflict in {paths[0] if paths else 'the tree'}{more}{against}"
