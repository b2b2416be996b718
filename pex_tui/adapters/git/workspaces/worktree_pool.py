"""The worktree pool for writers: each worktree belongs to one attempt at a time."""

import asyncio
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from pex_tui.adapters.git.isolation.linked_worktrees import let_go_of_branch
from pex_tui.adapters.git.plumbing.shadow_index import shadow_of
from pex_tui.adapters.git.plumbing.worktree_record import (
    Worktree,
    load,
    load_all,
    save,
    unused_path,
)
from pex_tui.adapters.git.workspaces.worktree_provisioner import WorktreeProvisioner
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.attempt import AttemptKey


class WorktreePool:
    """The numbered worktrees in one folder and their attempts, as recorded on disk."""

    def __init__(self, folder: Path, supply: WorktreeProvisioner) -> None:
        self._folder = folder
        self._supply = supply
        self._worktrees: dict[Path, Worktree] = {}
        self._preparing: set[Path] = set()
        self._loaded = False

    @property
    def keys(self) -> list[AttemptKey]:
        """Return the attempts that have a worktree."""
        return [tree.attempt for tree in self._all().values() if tree.attempt is not None]

    def of(self, key: AttemptKey) -> Worktree | None:
        """Return the attempt's worktree, fully prepared or not."""
        return next((tree for tree in self._all().values() if tree.attempt == key), None)

    def at_work(self, key: AttemptKey) -> Worktree | None:
        """Return the attempt's worktree while it is handed over, not while it is being prepared.

        The object stays the same until the worktree is reset.
        """
        worktree = self.of(key)
        if worktree is None or worktree.path in self._preparing or not worktree.is_ready:
            return None
        return worktree

    async def give(self, key: AttemptKey, commit: CommitId, near: Path | None = None) -> Worktree:
        """Return a worktree clean at the commit, the attempt's own if it has one.

        Raises WorkspaceError. `near` is preferred: an agent's session may be bound to its folder.
        """
        chosen = self.of(key) or self._free(commit, near)
        # Reserved before the first await: nobody else may choose it meanwhile.
        path = chosen.path if chosen else unused_path(self._folder, self._taken)
        self._preparing.add(path)
        try:
            if chosen is not None:
                return await self._supply.renew(chosen, commit, key)
            return await self._supply.make(path, commit, key)
        except asyncio.CancelledError:
            self._forgo(path)
            raise
        finally:
            self._preparing.discard(path)
            self._believe(path)

    def _forgo(self, path: Path) -> None:
        """Free a worktree whose preparation was cancelled."""
        worktree = load(path)
        if worktree is not None:
            save(replace(worktree, commit=None, attempt=None))

    async def apply_tree(self, worktree: Worktree, tree: str) -> None:
        """Put a tree on top of a worktree's commit; raise GitError."""
        shadow = await shadow_of(worktree, self._supply.git)
        await self._supply.trees.apply_tree(shadow, tree)

    async def release(self, worktree: Worktree) -> None:
        """Release the worktree."""
        if worktree.commit is not None:
            with suppress(OSError):  # replaced at its next use
                let_go_of_branch(worktree, worktree.commit)
        freed = replace(worktree, attempt=None)
        save(freed)
        # Appended, so that the latest released is taken last: its agent may come back.
        self._worktrees.pop(freed.path, None)
        self._worktrees[freed.path] = freed

    def _free(self, commit: CommitId, near: Path | None) -> Worktree | None:
        """Return a free worktree: the preferred one, or one that is at the commit already."""
        free = [
            tree
            for tree in self._all().values()
            if tree.attempt is None and tree.path not in self._preparing
        ]
        return max(free, key=lambda tree: (tree.path == near, tree.commit == commit), default=None)

    @property
    def _taken(self) -> set[Path]:
        return {*self._all(), *self._preparing}

    def _believe(self, path: Path) -> None:
        """Reload the record from disk, however the preparation ended."""
        self._worktrees.pop(path, None)
        worktree = load(path)
        if worktree is not None:
            self._worktrees[path] = worktree

    def _all(self) -> dict[Path, Worktree]:
        if not self._loaded:
            self._worktrees = {worktree.path: worktree for worktree in load_all(self._folder)}
            self._loaded = True
        return self._worktrees
