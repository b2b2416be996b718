"""Values of the undo log: what a command removed or undid, and how it comes back."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.model.ids import CommitId, RunId, TaskId

KEPT_SECONDS = 30 * 24 * 3600.0
"""The time for which an entry is kept."""


class RollbackPlan(Struct, frozen=True):
    """The steps of a rollback; all of it is known before anything is changed.

    `tasks` are undone, in order of landing. The run's branch moves from `tip` to `new_tip`.
    `target` is the user's branch ("" if it has none of them), and `commits` what is reverted there,
    oldest first. `at` is the date of the reverts, in whole seconds.
    """

    run: RunId
    tasks: tuple[TaskId, ...]
    branch: str
    base: CommitId
    tip: CommitId
    new_tip: CommitId
    target: str
    commits: tuple[CommitId, ...]
    at: int

    @property
    def is_whole(self) -> bool:
        """True if nothing stays landed: the run's branch goes back to where it began."""
        return self.new_tip == self.base


class UndoStage(StrEnum):
    """The stage of an entry; a command that finds one that has begun finishes it first."""

    KEPT = "kept"
    BEGUN = "begun"  # a rollback that has not been seen to end
    UNDOING = "undoing"  # likewise, of bringing it back


class UndoEntry(Struct, frozen=True):
    """One entry: what `command` did to a run at `at` (absolute seconds), in words `what`.

    `refs` are the refs that it removed, each with its object. `files` are files and folders that it
    removed, by their paths before. `has_journal` means that the run left the journal.
    """

    id: str
    at: float
    command: str
    run: RunId
    what: str
    refs: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    has_journal: bool = False
    size_bytes: int = 0
    rollback: RollbackPlan | None = None
    stage: UndoStage = UndoStage.KEPT

    @property
    def until(self) -> float:
        """The time at which the entry is dropped, in absolute seconds."""
        return self.at + KEPT_SECONDS


class RollbackPreview(Struct, frozen=True):
    """A rollback to be confirmed; `staying` are landed tasks that need one that it undoes."""

    plan: RollbackPlan
    staying: tuple[TaskId, ...] = ()
    notices: tuple[str, ...] = ()
    is_lost: bool = False  # the journal does not know the run


class RollbackDone(Struct, frozen=True):
    """A rollback that has happened: its entry in the undo log, and notices."""

    undo: str
    notices: tuple[str, ...] = ()


class UndoOffer(Struct, frozen=True):
    """The next thing to undo of a run: its landings by `rollback`, or its last rollback by `entry`.

    `lines` say what will be done.
    """

    lines: tuple[str, ...]
    rollback: RollbackPreview | None = None
    entry: UndoEntry | None = None
