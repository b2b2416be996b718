"""Events of what the radar sees: what tasks at work change, and where they collide."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.conflict import SharedPath
from pex_tui.core.model.ids import TaskId


class WritesSeen(BaseEvent, frozen=True):
    """All that the attempt has changed so far."""

    task: TaskId
    attempt: int
    files: tuple[str, ...]


class OverlapSeen(BaseEvent, frozen=True):
    """What two tasks have changed so far does not merge; also told when other paths collide."""

    first: TaskId
    second: TaskId
    paths: tuple[SharedPath, ...]


class OverlapGone(BaseEvent, frozen=True):
    """What they have changed merges by now, or one of them is no longer at work."""

    first: TaskId
    second: TaskId


OverlapEvent = WritesSeen | OverlapSeen | OverlapGone
"""What tasks at work are seen to write."""
