"""A commit's files in a folder of their own: not a worktree, so it is not registered anywhere."""

import asyncio
from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.core.model.ids import CommitId


async def export_commit(repository: Repository, commit: CommitId, folder: Path) -> None:
    """Write the commit's files to a new folder; raise GitError or OSError.

    Large files in git-lfs stay pointers, as committed.
    """
    await asyncio.to_thread(folder.mkdir, parents=True)
    index = folder.with_name(f"{folder.name}.index")
    env = {"GIT_INDEX_FILE": str(index), "GIT_LFS_SKIP_SMUDGE": "1"}
    git = repository.git.at(folder)
    try:
        await git.run(*WHOLE_TREE, "read-tree", commit, env=env)
        await git.run(*WHOLE_TREE, "checkout-index", "--all", "--quiet", env=env)
    finally:
        index.unlink(missing_ok=True)
