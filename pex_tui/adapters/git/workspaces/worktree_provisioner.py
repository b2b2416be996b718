"""Bring our worktrees to a commit, with included files and setup, ready to be handed over."""

import os
from pathlib import Path

from msgspec.structs import replace

from pex_tui.adapters.git.isolation.work_trees import WorkTrees
from pex_tui.adapters.git.isolation.workspace_repository import WorkspaceRepositories
from pex_tui.adapters.git.plumbing.filesystem import exists
from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE, GitError
from pex_tui.adapters.git.plumbing.repository import Repository, shown_path
from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex
from pex_tui.adapters.git.plumbing.worktree_record import Worktree, save
from pex_tui.adapters.git.workspaces.setup_command import run_setup, setup_fingerprint
from pex_tui.adapters.git.workspaces.workspace_options import WorkspaceOptions
from pex_tui.adapters.git.workspaces.worktree_include import Included, IncludedFiles
from pex_tui.core.model.ids import CommitId
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.ports import WorkspaceError


class WorktreeProvisioner:
    """Makes and renews worktrees; each step is on disk before the next one begins."""

    def __init__(self, repository: Repository, options: WorkspaceOptions) -> None:
        self.git = repository.git
        self.trees = WorkTrees(repository, options.keep, WorkspaceRepositories(repository))
        self._options = options
        self._included = IncludedFiles(
            repository.checkout, repository.top_level, options.include_file
        )

    async def make(self, path: Path, commit: CommitId, attempt: AttemptKey | None) -> Worktree:
        """Make a worktree at the path, clean at the commit; raise WorkspaceError."""
        try:
            made = replace(await self.trees.add(path), attempt=attempt)
            save(made)
            return await self._bring(made, commit)
        except (GitError, OSError) as error:
            raise WorkspaceError(
                f"git can't make a workspace in {shown_path(path.parent)}: {clean(str(error))}"
            ) from error

    async def renew(
        self, worktree: Worktree, commit: CommitId, attempt: AttemptKey | None
    ) -> Worktree:
        """Return the worktree clean at the commit, rebuilt if it is damaged or a linked one.

        Raises WorkspaceError.
        """
        worktree = replace(worktree, commit=None, attempt=attempt)
        if worktree.is_linked:
            await self.remove(worktree)
        else:
            try:
                save(worktree)
                return await self._bring(worktree, commit)
            except (GitError, OSError):
                await self.remove(worktree)
        return await self.make(worktree.path, commit, attempt)

    async def lay(self, worktree: Worktree, commit: CommitId) -> None:
        """Hand a worktree that matches the commit to another attempt; raise WorkspaceError."""
        try:
            await self.trees.lay(worktree, commit)
        except (GitError, OSError) as error:
            raise WorkspaceError(
                f"git can't make a workspace in {shown_path(worktree.path)}: {clean(str(error))}"
            ) from error

    async def remove(self, worktree: Worktree) -> None:
        """Remove the worktree and all that belongs to it; raise WorkspaceError."""
        try:
            await self.trees.remove(worktree)
        except OSError as error:
            raise WorkspaceError(
                f"The workspace {shown_path(worktree.path)} can't be removed: "
                f"{clean(error.strerror or str(error))}. Remove it by hand."
            ) from error

    async def _bring(self, worktree: Worktree, commit: CommitId) -> Worktree:
        before = Included(worktree.included, worktree.included_source, worktree.included_copy)
        spared = await self._included.unchanged_in(worktree.path, before)
        shadow = await self.trees.reset(worktree, commit, spared=spared)
        found = await self._included.copy_into(worktree.path, spared)
        worktree = replace(
            worktree,
            included=found.paths,
            included_source=found.source,
            included_copy=found.copy,
            untracked=(),
        )
        if self._options.setup_argv:
            worktree = await self._set_up(worktree, shadow)
        if found.paths or self._options.setup_argv or self._options.keep:
            worktree = replace(worktree, untracked=await _untracked(shadow))
        worktree = replace(worktree, commit=commit)
        save(worktree)
        return worktree

    async def _set_up(self, worktree: Worktree, shadow: ShadowIndex) -> Worktree:
        """Run the setup, unless it ran here with the same inputs and its products still exist."""
        fingerprint = await setup_fingerprint(shadow.git, self._options)
        is_complete = all(exists(worktree.path / made) for made in worktree.products)
        if fingerprint == worktree.setup and is_complete:
            return worktree
        worktree = replace(worktree, setup=None, products=())
        save(worktree)
        before = set(await _untracked(shadow))
        await run_setup(self._options, worktree.path)
        # A setup's changes to tracked files must not count as a task's work.
        await shadow.restore()
        self.trees.hand_over_index(worktree)
        products = tuple(made for made in await _untracked(shadow) if made not in before)
        worktree = replace(worktree, setup=fingerprint, products=products)
        save(worktree)
        return worktree


async def _untracked(shadow: ShadowIndex) -> tuple[str, ...]:
    listing = await shadow.git.run(
        *(*WHOLE_TREE, "ls-files", "-z", "--others", "--directory", "--no-empty-directory")
    )
    return tuple(path for path in os.fsdecode(listing.stdout).split("\0") if path)
