"""The gate's own workspace: reset to a commit as if freshly checked out."""

from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.isolation.work_trees import WorkTrees
from pex_tui.adapters.git.plumbing.filesystem import is_folder
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.core.model.ids import CommitId


class GateWorkspace(Struct, frozen=True):
    """The workspace at `worktree`; it has no record, because it holds no work."""

    trees: WorkTrees
    worktree: Worktree

    @property
    def path(self) -> Path:
        """The workspace's folder."""
        return self.worktree.path

    async def reset(self, commit: CommitId, lock: int) -> None:
        """Make it a clean checkout of the commit; raise GitError.

        Git inherits `lock`, the descriptor of a lock, and holds it while it runs: the next holder
        knows that no `index.lock` here is in use.
        """
        if is_folder(self.worktree.path / ".git"):
            try:
                await self.trees.reset(self.worktree, commit, (lock,))
            except (GitError, OSError):
                pass  # an interrupted reset, or a check that damaged it
            else:
                return
        made = await self.trees.add(self.worktree.path)
        await self.trees.reset(made, commit, (lock,))
