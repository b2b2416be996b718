"""Repositories of submodules that live inside a worktree's own git directory."""

import os
from pathlib import Path

from pex_tui.adapters.git.cli import Git

_MODULES = "modules"


async def unpushed_submodules(git_dir: Path) -> tuple[str, ...]:
    """Submodules with commits that no remote of theirs has; raise GitError.

    They go with the worktree, and nothing in the repository around them keeps them.
    """
    found = []
    for folder in _repositories(git_dir / _MODULES):
        git = Git(folder)
        alone = await git.run(
            "rev-list", "-n", "1", "--all", "HEAD", "--not", "--remotes", ok=(0, 128)
        )
        if alone.status or alone.text:
            found.append(os.fspath(folder.relative_to(git_dir / _MODULES)))
    return tuple(found)


def _repositories(folder: Path) -> list[Path]:
    """Git directories at and below the folder; a submodule's name may have slashes."""
    if (folder / "HEAD").is_file():
        return [folder, *_repositories(folder / _MODULES)]
    if not folder.is_dir():
        return []
    return [one for entry in sorted(folder.iterdir()) for one in _repositories(entry)]
