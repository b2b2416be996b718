"""Prompts that tell the next attempt of an agent about the previous one."""

import shlex

from pex_tui.core.events.landing_events import MergeConflicted
from pex_tui.core.formatting import listed, short
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.task_state import TaskState

_MOST_NAMED = 8
_MOST_OUTPUT = 8_000  # characters of a gate's output, of which the end names the failure


def gate_lesson(detail: str, output: str) -> str:
    """Return the lesson of a change that merged but did not pass the gate."""
    shown = output[-_MOST_OUTPUT:].strip()
    printed = f" It printed:\n\n{shown}" if shown else ""
    return (
        "Your change was merged onto the latest commit and checked there, and "
        f"{detail}.{printed}\n\nFind the cause and fix it; the same check decides again."
    )


def conflict_lesson(task: TaskState, event: MergeConflicted) -> str:
    """Return the lesson of a change that conflicts with what landed meanwhile."""
    files = listed([file.path for file in event.files])
    others = f" (from {', '.join(event.against)})" if event.against else ""
    paths = [file.path for file in event.files]
    mine = _diff(task.start_commit, task.work, paths)
    theirs = _diff(task.start_commit, event.tip, paths)
    return (
        f"Your change could not be merged: {files} was changed meanwhile{others}. Your checkout "
        "is now at the latest commit, which has the other change. Redo yours on top of it, keeping "
        f"the intent of both.\n\nYour change was:      {mine}\nThe other change was: {theirs}"
    )


def failure_lesson(detail: str) -> str:
    """Return the lesson of an attempt that failed."""
    return f"Your last attempt failed: {detail.rstrip('.')}. Continue, and finish the task."


INTERRUPTED = "You were interrupted in the middle of your work. Continue where you stopped."
YIELDED = (
    "You were stopped, as another task changed the same lines. Its change comes first: your "
    "checkout is now at the latest commit. Continue, keeping the intent of both."
)
DEADLOCKED = (
    "You were stopped to break a deadlock over locks. Continue where you "
    "stopped. If you need several locks, take them at once: pex-tui lock ONE TWO -- COMMAND."
)
AGAIN = "A person looked at your work and asks you to do the task again, from the start."


def _diff(before: CommitId | None, after: CommitId | None, paths: list[str]) -> str:
    if before is None or after is None:
        return "not kept"
    named = map(shlex.quote, paths) if len(paths) <= _MOST_NAMED else (".",)
    return f"git diff {short(before)} {short(after)} -- {' '.join(named)}"
