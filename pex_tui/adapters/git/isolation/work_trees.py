"""Create, reset and remove the work trees of workspaces, whatever an agent did to them.

All of this uses the shadow, a git directory of ours beside the folder that no agent works in, and
ignores the workspace's own `.git`. After a reset a new `.git` is laid.
"""

import asyncio
import os
import re
import shutil
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.isolation.linked_worktrees import forget_half_made, forget_linked, unlink
from pex_tui.adapters.git.isolation.workspace_repository import WorkspaceRepositories
from pex_tui.adapters.git.plumbing.filesystem import is_folder, make_writable, remove_tree
from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE, Git, GitError
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex, fresh_shadow
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.core.model.ids import CommitId


class WorkTrees(Struct, frozen=True):
    """The work trees of one repository; ignored paths that match `keep` survive a reset."""

    repository: Repository
    keep: tuple[str, ...]
    repositories: WorkspaceRepositories

    async def add(self, path: Path) -> Worktree:
        """Make an empty folder for a work tree; raise OSError."""
        await asyncio.to_thread(self._clear, path)
        return Worktree(path, path / ".git")

    async def reset(
        self,
        worktree: Worktree,
        commit: CommitId,
        pass_fds: tuple[int, ...] = (),
        spared: tuple[str, ...] = (),
    ) -> ShadowIndex:
        """Bring the work tree to the commit as if freshly checked out; raise GitError or OSError.

        Its git directory is laid as well. Git keeps the `pass_fds` open; the `spared` paths stay as
        they are.
        """
        if not is_folder(worktree.path):
            raise FileNotFoundError(f"{worktree.path} is no folder any more")
        shadow = fresh_shadow(worktree, commit, self.repository.git)
        shadow.narrow(self.repositories.patterns())
        await shadow.restore(pass_fds)
        kept = (*self.keep, *map(_as_pattern, spared))
        await self._clean(shadow.git, worktree.path, kept, pass_fds)
        await self._empty_submodules(shadow.git, worktree.path)
        await self.lay(worktree, commit)
        return shadow

    async def lay(self, worktree: Worktree, commit: CommitId) -> None:
        """Lay the git directory of a work tree that matches the commit.

        Raises GitError or OSError.
        """
        refs = await self.repositories.refs()
        await asyncio.to_thread(
            self.repositories.lay, worktree.path, commit, refs, keeps_modules=bool(self.keep)
        )
        self.hand_over_index(worktree)

    async def apply_tree(self, shadow: ShadowIndex, tree: str) -> None:
        """Put a tree into a work tree that was just reset, as changes on its commit.

        Our own index stays as it is, so these are the attempt's changes. Changes outside the
        patterns of a sparse checkout are written as well. Raises GitError.
        """
        index = shadow.root / ".git" / "index"
        await shadow.git.run(
            *WHOLE_TREE, "read-tree", "--reset", "-u", tree, env={"GIT_INDEX_FILE": str(index)}
        )

    def hand_over_index(self, worktree: Worktree) -> None:
        """Copy our index, with each file's stat data, to the workspace's own git."""
        # Its mtime tells git which entries may be racy.
        shutil.copy2(worktree.shadow / "index", worktree.path / ".git" / "index")

    async def remove(self, worktree: Worktree) -> None:
        """Remove the folder and all that belongs to it; raise OSError."""
        await asyncio.to_thread(self._remove, worktree)

    def _remove(self, worktree: Worktree) -> None:
        unlink(worktree, self.repository.common_dir)
        for place in worktree.places:
            remove_tree(place)
        remove_tree(worktree.users)
        worktree.record.unlink(missing_ok=True)

    def _clear(self, path: Path) -> None:
        """Make an empty folder, whatever is there now."""
        forget_half_made(self.repository.common_dir, path.parent)
        forget_linked(self.repository.common_dir, path)
        for place in Worktree(path, path / ".git").places:
            remove_tree(place)
        path.mkdir(parents=True)

    async def _clean(
        self, git: Git, path: Path, kept: tuple[str, ...], pass_fds: tuple[int, ...]
    ) -> None:
        options = [option for pattern in kept for option in ("-e", pattern)]
        command = (*WHOLE_TREE, "clean", "-ffdxq", *options)
        try:
            await git.run(*command, pass_fds=pass_fds)
        except GitError:
            await asyncio.to_thread(make_writable, path)
            await git.run(*command, pass_fds=pass_fds)

    async def _empty_submodules(self, git: Git, path: Path) -> None:
        if not (path / ".gitmodules").is_file():
            return
        kept = {pattern.strip("/") for pattern in self.keep}
        listing = await git.run(*WHOLE_TREE, "ls-files", "-s", "-z")
        for line in os.fsdecode(listing.stdout).split("\0"):
            head, _, name = line.partition("\t")
            folder = path / name
            if head.startswith("160000 ") and name not in kept and is_folder(folder):
                await asyncio.to_thread(remove_tree, folder)
                folder.mkdir()


def _as_pattern(path: str) -> str:
    """Return a pattern that matches only this path."""
    return "/" + re.sub(r"([\\*?\[\]!# ])", r"\\\1", path)
