"""Recovery of attempts and landings that a journal restored from an older copy lacks."""

from pex_tui.core.events.landing_events import BranchMoved
from pex_tui.core.events.run_events import AttemptFound
from pex_tui.core.lifecycle.conflict_log import close_conflicts
from pex_tui.core.lifecycle.merge_queue import leave_queue, step_back
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.phases import SUCCEEDED, Phase
from pex_tui.core.model.state import LandStatus
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.user_requests import reopen


def apply_attempt_found(draft: Draft, event: AttemptFound) -> None:
    """Adopt the found attempt as the task's next one; later attempts count from there."""
    task = draft.task(event.task)
    if event.attempt > max(task.attempt, task.found) and task.phase not in SUCCEEDED:
        draft.change(task.id, found=event.attempt)
        draft.notice(
            f"The journal does not know attempt {event.attempt} of {task.id}: it is recovered."
        )


def apply_landing_found(draft: Draft, task: TaskState, event: BranchMoved) -> None:
    """Mark the task as landed, whatever its phase in the journal; it never runs again."""
    if task.phase in SUCCEEDED:
        return
    step_back(draft, None)  # the entry in flight is merged onto the tip that was found
    leave_queue(draft, task)
    unknown = "it has landed; the journal does not know how it was resolved"
    close_conflicts(draft, task.id, Decision.EDITED, "unknown", unknown)
    draft.set(tip=event.commit)
    draft.move(
        task.id,
        Phase.LANDED,
        landed=event.commit,
        rolled_back=None,
        pid=None,
        retry_at=None,
        failure=None,
        stop=None,
        reason="",
    )
    if draft.state.land_status is LandStatus.LANDED:  # the user's branch lacks this commit
        draft.set(land_status=LandStatus.NOT_ASKED, land_detail="")
    graph = draft.state.graph
    for dependent in graph.dependents[graph.index[task.id]]:
        other = draft.state.tasks[dependent]
        if other.phase is Phase.SKIPPED:
            reopen(draft, other.id)
