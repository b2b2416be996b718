"""The end of a failed task's log, for its report."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import FailureKind
from pex_tui.core.sanitize import clean, clean_bytes

LAST_LINES = 12
_READ_BYTES = 16 * 1024

LogPath = Callable[[RunId, TaskSpec, int], Path]
"""Returns the path of an attempt's log."""


class LogEnd(Struct, frozen=True):
    """The path of a log, and its last lines, sanitized."""

    path: str
    lines: tuple[str, ...]


def log_ends(state: RunState, where: LogPath) -> dict[TaskId, LogEnd]:
    """Return the log ends of tasks whose last attempt failed itself, where there is output."""
    found = {}
    for task in state.tasks:
        failure = task.failure
        if task.phase is Phase.FAILED and failure and failure.kind is not FailureKind.GATE:
            path = where(state.run, state.spec(task.id), task.attempt)
            lines = last_lines(path)
            if lines:
                found[task.id] = LogEnd(clean(str(path)), lines)
    return found


def last_lines(path: Path) -> tuple[str, ...]:
    """Return the last non-empty lines; none if there is no such file."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(max(0, size - _READ_BYTES))
            raw = log.read()
    except OSError:
        return ()
    shown = [clean_bytes(line.rpartition(b"\r")[2]).rstrip() for line in raw.split(b"\n")]
    return tuple(line for line in shown if line)[-LAST_LINES:]
