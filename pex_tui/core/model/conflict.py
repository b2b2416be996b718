"""Conflicts as values: the tasks and paths concerned, the steps taken, and the decision."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.model.ids import CommitId, TaskId

REMEMBERED = "remembered"
"""The strategy that reuses a person's earlier resolution of the same conflict."""


class ConflictKind(StrEnum):
    """The subject of a conflict between tasks, or of a question to a person."""

    WRITE = "write"
    RESOURCE = "resource"
    CYCLE = "cycle"
    MEMORY = "memory"
    SEMANTIC = "semantic"
    PROTECTED = "protected"  # one task alone: it changes paths that only a person may change


class Decision(StrEnum):
    """The outcome of a conflict."""

    OURS = "ours"  # the task's own side
    THEIRS = "theirs"  # what landed before it
    EDITED = "edited"  # a person's own result
    COMBINED = "combined"  # resolved by automatic strategies, and the gate passed
    RERUN = "rerun"  # the task runs again on the new tip
    SERIALISED = "serialised"  # never conflicting: one waited for the other
    WARNED = "warned"  # seen while both worked; the user was warned
    TOLD = "told"  # likewise; the agents were informed
    PAUSED = "paused"  # likewise; one was paused until the other had landed
    DROPPED_NEED = "dropped_need"  # a cycle was broken
    ABORTED = "aborted"
    FAILED = "failed"


class ConflictPath(Struct, frozen=True):
    """A path in conflict, with what each stage of the conflict knows of it.

    `kind` is git's term ("content", "modify/delete", …), or "protected" for a path that merges but
    needs a person's approval. `lines` are line numbers of the merge base, known for an overlap.
    `strategies` resolved the path automatically; a remembered resolution names its author and its
    time (absolute seconds). Events are journaled with these fields, and older ones with fewer.
    """

    path: str
    kind: str = "content"
    lines: str = ""
    strategies: tuple[str, ...] = ()
    by: str = ""
    at: float | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.lines}" if self.lines else self.path


class AutoResolution(Struct, frozen=True):
    """A candidate with automatically resolved conflicts, valid only if its gate passes."""

    files: tuple[ConflictPath, ...]
    tip: CommitId
    against: tuple[TaskId, ...]
    conflicting_at: float


class Overlap(Struct, frozen=True):
    """Two tasks at work whose changes do not merge, and the time since which that is known."""

    tasks: tuple[TaskId, TaskId]
    paths: tuple[ConflictPath, ...]
    since: float

    def other(self, task: TaskId) -> TaskId:
        """Return the other task of the pair."""
        return self.tasks[1] if task == self.tasks[0] else self.tasks[0]


class ConflictStep(Struct, frozen=True):
    """One step taken on a conflict, by whom and why; the decision None leaves the conflict open."""

    at: float
    decision: Decision | None
    by: str
    reason: str = ""


class Conflict(Struct, frozen=True):
    """One conflict from first sight to decision; times are absolute seconds.

    `decision` is None while the conflict is open. `tasks` starts with the task that has to give
    way. `steps` are in time order; the last one is the decision.
    """

    number: int
    kind: ConflictKind
    tasks: tuple[TaskId, ...]
    files: tuple[ConflictPath, ...] = ()
    tip: CommitId | None = None  # the integration tip that the work did not merge onto
    predicted_at: float | None = None
    overlapping_at: float | None = None
    conflicting_at: float | None = None
    decision: Decision | None = None
    resolved_by: str = ""
    resolved_at: float | None = None
    detail: str = ""
    steps: tuple[ConflictStep, ...] = ()

    @property
    def is_open(self) -> bool:
        """Return whether the conflict is undecided."""
        return self.decision is None
