"""The radar's eyes: what attempts at work have changed, and whether two of them would merge."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from pex_tui.core.model.conflict import SharedPath
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.attempt import AttemptKey


class ChangeSet(Struct, frozen=True):
    """What an attempt has changed so far: `commit` holds it on `start`, `files` differ from that.

    `ranges` are the lines of the start commit that each file's changes replace (first, one after
    the last; the same for an insertion before it); none for a file that is new, gone or no text.
    """

    start: CommitId
    commit: CommitId
    tree: str
    files: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


class FolderWatcher(Protocol):
    """Hears of changes below some folders until it is closed, and holds nobody up."""

    def follow(self, folders: frozenset[Path]) -> None:
        """Hear of these from now on; one that is new counts as changed."""
        ...

    async def changes(self) -> frozenset[Path]:
        """The folders below which something changed since the last call, once there is one."""
        ...

    def close(self) -> None:
        """Hear no more."""
        ...


class OverlapProbe(Protocol):
    """Sees what attempts at work change, without touching anything of theirs."""

    def watch(self, warn: Callable[[str], None]) -> FolderWatcher:
        """Begin to watch; `warn` is told, once, why it only looks every few seconds."""
        ...

    async def change_set(self, key: AttemptKey, before: ChangeSet | None) -> ChangeSet | None:
        """What the attempt has changed by now; `before` itself when that is the same.

        None when it is no longer at work. Raises WorkspaceError when git can't tell.
        """
        ...

    async def overlap(self, first: ChangeSet, second: ChangeSet) -> tuple[SharedPath, ...]:
        """The paths in which the two won't merge; raise WorkspaceError when git can't tell."""
        ...
