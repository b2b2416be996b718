"""The state of a run that an engine takes over, in words."""

from pex_tui.core.formatting import clock, counted, listed
from pex_tui.core.model.phases import HOLDS_SLOT, IN_MERGE_QUEUE, SUCCEEDED, Phase, RunStage
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState


def resumption_text(state: RunState, wall_now: float) -> str:
    """Describe the run as its last engine left it; `wall_now` is the machine's time in seconds."""
    gap = wall_now - state.now
    if gap < 0:
        when = f"Resumed; the machine's clock was set back by {clock(-gap)} meanwhile"
    elif state.stage is RunStage.FINISHED:
        when = f"Resumed {clock(gap)} after its end"
    else:
        when = f"Resumed after {clock(gap)} without an engine"
    return f"{when}: {'; '.join(_found(state))}."


def _found(state: RunState) -> list[str]:
    """Return the groups of tasks, and what happens with each."""
    working = [task for task in state.tasks if task.phase in HOLDS_SLOT]
    ended = [task for task in state.tasks if task.phase is Phase.CAPTURING]
    landing = [task for task in state.tasks if task.phase in IN_MERGE_QUEUE]
    done = sum(task.phase in SUCCEEDED for task in state.tasks)
    groups = (
        (working, "at work then and looked for now"),
        (ended, "ended then, and captured now"),
        (landing, "landing, which goes on"),
    )
    found = [_told(tasks, what) for tasks, what in groups if tasks]
    return [*found, f"{done} of {counted(len(state.tasks), 'task')} had succeeded"]


def _told(tasks: list[TaskState], what: str) -> str:
    verb = "was" if len(tasks) == 1 else "were"
    return f"{listed([task.id for task in tasks])} {verb} {what}"
