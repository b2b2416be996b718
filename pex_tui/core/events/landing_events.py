"""Events of the merge queue: results of git and the gate for work on its way to the branch."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import CommitId, TaskId


class WorkMerged(BaseEvent, frozen=True):
    """The work merges cleanly onto `tip`; `candidate` equals `tip` if nothing new remains.

    `combined` are conflicting paths that strategies resolved, `against` the tasks whose landings
    they conflicted with; `onto` is the requested merge base, None for the branch's own tip.
    `protected` are changed paths that only a person may change and that the task does not declare.
    """

    task: TaskId
    attempt: int
    tip: CommitId
    candidate: CommitId
    combined: tuple[ConflictPath, ...] = ()
    against: tuple[TaskId, ...] = ()
    onto: CommitId | None = None
    protected: tuple[str, ...] = ()


class MergeConflicted(BaseEvent, frozen=True):
    """The work does not merge onto `tip`; `against` are the landed tasks that it conflicts with."""

    task: TaskId
    attempt: int
    tip: CommitId
    files: tuple[ConflictPath, ...]
    against: tuple[TaskId, ...]


class MergeDeferred(BaseEvent, frozen=True):
    """The work does not merge onto a commit still under test; retried once that has landed."""

    task: TaskId
    attempt: int
    onto: CommitId


class GateFinished(BaseEvent, frozen=True):
    """The gate ran on `commit`; `command` and `output` belong to the check that failed."""

    task: TaskId
    attempt: int
    commit: CommitId
    passed: bool
    seconds: float
    command: str = ""
    output: str = ""


class BranchMoved(BaseEvent, frozen=True):
    """The integration branch is at `commit`: the task has landed.

    `found` means that a new engine saw it on the branch, as the journal is an older copy.
    """

    task: TaskId
    attempt: int
    commit: CommitId
    found: bool = False


class BranchMoveRefused(BaseEvent, frozen=True):
    """Another process moved the branch; the work is merged again."""

    task: TaskId
    attempt: int
    reason: str


class LandingFailed(BaseEvent, frozen=True):
    """Git could not merge or move the branch; a `passing` failure is retried."""

    task: TaskId
    attempt: int
    detail: str
    passing: bool = False


LandingEvent = (
    WorkMerged
    | MergeConflicted
    | MergeDeferred
    | GateFinished
    | BranchMoved
    | BranchMoveRefused
    | LandingFailed
)
"""Events of an entry of the merge queue."""
