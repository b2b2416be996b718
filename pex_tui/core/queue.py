"""Who stands in the merge queue."""

from pex_tui.core.draft import Draft
from pex_tui.core.phases import Phase
from pex_tui.core.state import TaskState


def enqueue(draft: Draft, task: TaskState) -> None:
    """Put a task with captured work at the end of the queue."""
    draft.move(task.id, Phase.QUEUED)
    draft.set(landing=(*draft.state.landing, task.id))


def leave_queue(draft: Draft, task: TaskState) -> None:
    """Take a task out of the queue, wherever it stands."""
    draft.set(landing=tuple(other for other in draft.state.landing if other != task.id))
    draft.change(task.id, landing_stage=None)
