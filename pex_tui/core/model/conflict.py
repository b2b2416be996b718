"""Conflicts as values: what two tasks fell out over, what is known, and how it was settled."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.model.ids import CommitId, TaskId

REMEMBERED = "remembered"
"""The strategy by which a conflict is settled as a person settled the same one before."""


class ConflictKind(StrEnum):
    """What two tasks fell out over, or what a person has to look at."""

    WRITE = "write"
    RESOURCE = "resource"
    CYCLE = "cycle"
    MEMORY = "memory"
    SEMANTIC = "semantic"
    PROTECTED = "protected"  # one task alone: it changes paths that only a person may change


class Decision(StrEnum):
    """How a conflict was settled."""

    OURS = "ours"  # the task's own side
    THEIRS = "theirs"  # what landed before it
    EDITED = "edited"  # a person's own result
    COMBINED = "combined"  # by strategies that ask nobody, and the gate passed
    RERUN = "rerun"  # the task again, on the new tip
    SERIALISED = "serialised"  # never met: one waited for the other
    WARNED = "warned"  # seen while both worked; people were told
    TOLD = "told"  # likewise; the agents were told
    PAUSED = "paused"  # likewise; one stood still until the other had landed
    DROPPED_NEED = "dropped_need"  # a cycle was broken
    ABORTED = "aborted"
    FAILED = "failed"


class ConflictFile(Struct, frozen=True):
    """A path that git could not merge, and how it puts it ("content", "modify/delete", …).

    A path that merges and that a person has to allow is "protected".
    """

    path: str
    kind: str = "content"


class CombinedFile(Struct, frozen=True):
    """A path that git could not merge and that was settled with nobody asked.

    What was remembered was decided by somebody, at some time (absolute seconds).
    """

    path: str
    kind: str
    strategies: tuple[str, ...]
    by: str = ""
    at: float | None = None


class AutoResolution(Struct, frozen=True):
    """A candidate whose conflicts are settled so far as the gate agrees; `against` as met."""

    files: tuple[CombinedFile, ...]
    tip: CommitId
    against: tuple[TaskId, ...]
    conflicting_at: float


class SharedPath(Struct, frozen=True):
    """A path that two tasks change so that it won't merge; `lines` of their start, if any."""

    path: str
    lines: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.lines}" if self.lines else self.path


class Overlap(Struct, frozen=True):
    """Two tasks whose work so far does not merge, and since when that is known."""

    tasks: tuple[TaskId, TaskId]
    paths: tuple[SharedPath, ...]
    since: float

    def other(self, task: TaskId) -> TaskId:
        """Return the one of the two that is not this one."""
        return self.tasks[1] if task == self.tasks[0] else self.tasks[0]


class ConflictStep(Struct, frozen=True):
    """One thing that was done about a conflict, by whom and why; None is leaving it open."""

    at: float
    decision: Decision | None
    by: str
    reason: str = ""


class Conflict(Struct, frozen=True):
    """One conflict from first sight to decision; times are absolute seconds.

    `decision` is None while it is open. `tasks` starts with the task that has to give way. `steps`
    is all that was done about it, the oldest first; the last one is its decision.
    """

    number: int
    kind: ConflictKind
    tasks: tuple[TaskId, ...]
    files: tuple[ConflictFile, ...] = ()
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
        """Return whether nobody has decided it yet."""
        return self.decision is None
