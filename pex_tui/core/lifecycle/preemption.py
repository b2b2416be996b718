"""The cost of stopping a task at work in favour of another."""

from pex_tui.core.lifecycle.scheduler import urgency
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState


def preemption_cost(state: RunState, name: TaskId) -> tuple[int, int, float, float]:
    """Return the sort key of the loss: urgency, earlier rollbacks, rank, work done."""
    position = state.graph.index[name]
    task = state.tasks[position]
    worked = 0.0 if task.started_at is None else state.now - task.started_at - task.paused_seconds
    return -urgency(state, position), task.rollbacks, state.graph.ranks[position], worked
