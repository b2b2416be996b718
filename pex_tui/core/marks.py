"""The few situations of a task that a person tells apart at a glance."""

from enum import StrEnum

from pex_tui.core.phases import Phase
from pex_tui.core.settle import blockers
from pex_tui.core.state import RunState, TaskState


class Mark(StrEnum):
    """Each has a symbol in every symbol set and a colour in every theme."""

    RUNNING = "running"
    STARTING = "starting"
    WAITING = "waiting"
    PAUSED = "paused"
    ASKING = "asking"
    RETRYING = "retrying"
    STOPPING = "stopping"
    LANDING = "landing"
    CONFLICT = "conflict"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"


_MARKS = {
    Phase.WAITING: Mark.WAITING,
    Phase.READY: Mark.WAITING,
    Phase.STARTING: Mark.STARTING,
    Phase.RUNNING: Mark.RUNNING,
    Phase.PAUSED: Mark.PAUSED,
    Phase.STOPPING: Mark.STOPPING,
    Phase.CAPTURING: Mark.LANDING,
    Phase.BACKOFF: Mark.RETRYING,
    Phase.QUEUED: Mark.LANDING,
    Phase.LANDING: Mark.LANDING,
    Phase.CONFLICT: Mark.CONFLICT,
    Phase.LANDED: Mark.DONE,
    Phase.DONE: Mark.DONE,
    Phase.FAILED: Mark.FAILED,
    Phase.ABORTED: Mark.BLOCKED,
    Phase.SKIPPED: Mark.BLOCKED,
}


def mark_of(state: RunState, task: TaskState) -> Mark:
    """How the task is marked; one that only a person's decision can free is blocked."""
    mark = _MARKS[task.phase]
    if mark is Mark.RUNNING and task.asks:
        return Mark.ASKING
    if mark is Mark.WAITING:
        if task.held:
            return Mark.PAUSED
        if task.phase is Phase.WAITING and state.open_conflicts and blockers(state, task):
            return Mark.BLOCKED
    return mark
