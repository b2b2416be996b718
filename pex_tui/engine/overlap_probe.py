"""Ports of the overlap monitor: the changes of attempts at work, and trial merges of two."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from pex_tui.core.model.conflict import ConflictPath
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.attempt import AttemptKey


class ChangeSet(Struct, frozen=True):
    """The changes of an attempt so far: `commit` holds them on `start`, `files` are the paths.

    `ranges` are the lines of the start commit that each file's changes replace (first, one after
    the last; equal for an insertion); empty for a file that is new, deleted or not text.
    """

    start: CommitId
    commit: CommitId
    tree: str
    files: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


class FolderWatcher(Protocol):
    """A non-blocking watch on changes below some folders, until closed."""

    def follow(self, folders: frozenset[Path]) -> None:
        """Watch these folders from now on; a new one counts as changed."""
        ...

    async def changes(self) -> frozenset[Path]:
        """Wait for changes; return the folders with changes since the last call."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


class OverlapProbe(Protocol):
    """Observes the changes of tasks at work without touching their files."""

    def watch(self, warn: Callable[[str], None]) -> FolderWatcher:
        """Start watching; `warn` gets the reason, once, if only polling is possible."""
        ...

    async def change_set(self, key: AttemptKey, before: ChangeSet | None) -> ChangeSet | None:
        """Return the attempt's changes so far; `before` itself if they are the same.

        None when the attempt is no longer at work. Raises WorkspaceError when git fails.
        """
        ...

    async def overlap(self, first: ChangeSet, second: ChangeSet) -> tuple[ConflictPath, ...]:
        """Return the paths that do not merge between the two; raise WorkspaceError if git fails."""
        ...
