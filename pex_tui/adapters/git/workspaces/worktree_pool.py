"""Worktrees for writers: each belongs to one attempt at a time, then to the next."""

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
from pex_tui.adapters.git.workspaces.worktree_provisioner import WorktreeSupply
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.attempt import AttemptKey


class Pool:
    """The numbered worktrees in one folder, and who has which; what is on the disk counts."""

    def __init__(self, folder: Path, supply: WorktreeSupply) -> None:
        self._folder = folder
        self._supply = supply
        self._worktrees: dict[Path, Worktree] = {}
        self._preparing: set[Path] = set()
        self._loaded = False

    @property
    def keys(self) -> list[AttemptKey]:
        """The attempts that have a worktree."""
        return [tree.attempt for tree in self._all().values() if tree.attempt is not None]

    def of(self, key: AttemptKey) -> Worktree | None:
        """The attempt's worktree, fully prepared or not."""
        return next((tree for tree in self._all().values() if tree.attempt == key), None)

    def at_work(self, key: AttemptKey) -> Worktree | None:
        """The attempt's worktree while it is handed over: not while it is being prepared.

        It is the same object for as long as nobody resets it.
        """
        worktree = self.of(key)
        if worktree is None or worktree.path in self._preparing or not worktree.is_ready:
            return None
        return worktree

    async def give(self, key: AttemptKey, commit: CommitId, near: Path | None = None) -> Worktree:
        """A worktree clean at the commit, the attempt's own if it has one; raise WorkspaceError.

        `near` is the one that is wanted most: an agent's session may only go on in its own place.
        """
        chosen = self.of(key) or self._free(commit, near)
        # Taken before anything is awaited: nobody else may choose it meanwhile.
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
        """The attempt won't come for it: its preparation was called off."""
        worktree = load(path)
        if worktree is not None:
            save(replace(worktree, commit=None, attempt=None))

    async def plant(self, worktree: Worktree, tree: str) -> None:
        """Put a tree on top of a worktree's commit; raise GitError."""
        shadow = await shadow_of(worktree, self._supply.git)
        await self._supply.trees.plant(shadow, tree)

    async def release(self, worktree: Worktree) -> None:
        """Give the worktree back."""
        if worktree.commit is not None:
            with suppress(OSError):  # it is replaced at its next use
                let_go_of_branch(worktree, worktree.commit)
        freed = replace(worktree, attempt=None)
        save(freed)
        # At the end, so that what was given back last is taken last: its agent may come again.
        self._worktrees.pop(freed.path, None)
        self._worktrees[freed.path] = freed

    def _free(self, commit: CommitId, near: Path | None) -> Worktree | None:
        """A worktree that nobody has: the wanted one, or one that is at the commit already."""
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
        """Go by what is on the disk, however the preparation ended."""
        self._worktrees.pop(path, None)
        worktree = load(path)
        if worktree is not None:
            self._worktrees[path] = worktree

    def _all(self) -> dict[Path, Worktree]:
        if not self._loaded:
            self._worktrees = {worktree.path: worktree for worktree in load_all(self._folder)}
            self._loaded = True
        return self._worktrees
