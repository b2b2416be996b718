"""Events of the overlap monitor: the changes of tasks at work, and their overlaps."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import TaskId


class WritesSeen(BaseEvent, frozen=True):
    """The complete set of paths that the attempt has changed so far."""

    task: TaskId
    attempt: int
    files: tuple[str, ...]


class OverlapSeen(BaseEvent, frozen=True):
    """The changes of two tasks at work do not merge; repeated when other paths overlap."""

    first: TaskId
    second: TaskId
    paths: tuple[ConflictPath, ...]


class OverlapGone(BaseEvent, frozen=True):
    """The changes of two tasks merge by now, or one of the tasks is no longer at work."""

    first: TaskId
    second: TaskId


OverlapEvent = WritesSeen | OverlapSeen | OverlapGone
"""Events of the overlap monitor."""
