"""A commit's files in a folder of their own: no worktree, so nothing of the user's knows of it."""

import asyncio
from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.core.model.ids import CommitId


async def export_commit(repository: Repository, commit: CommitId, folder: Path) -> None:
    """Put the commit's files into a new folder; raise GitError or OSError.

    Large files that git-lfs keeps elsewhere stay what is committed of them.
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
