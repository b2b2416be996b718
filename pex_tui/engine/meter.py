"""Resource usage of the process trees of a run's tasks."""

from collections.abc import Mapping
from typing import Protocol

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.engine.session import Usage


class Meter(Protocol):
    """Measures process trees."""

    def read(self, roots: Mapping[TaskId, int]) -> Usage:
        """Return the usage of the trees with these root pids, measured since the last call."""
        ...


def live_roots(state: RunState) -> dict[TaskId, int]:
    """Return the root pid of each task that holds a slot."""
    return {task.id: task.pid for task in state.tasks if task.pid is not None and task.holds_slot}
