"""Copies the untracked files that `.worktreeinclude` names from the user's checkout."""

import asyncio
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from pex_tui.adapters.git.cli import Git
from pex_tui.adapters.git.folders import exists


@dataclass(slots=True)
class IncludedFiles:
    """The untracked files of the user's checkout that match the patterns of `file_name`.

    They are listed once: looking through a checkout with its caches takes longer than a reset.
    """

    checkout: Git
    top_level: Path
    file_name: str
    _listing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _paths: tuple[str, ...] | None = None

    async def copy_into(self, workspace: Path) -> tuple[str, ...]:
        """Copy them; the paths that were copied. Never replaces a file that is there.

        Raises GitError or OSError.
        """
        paths = await self._list()
        if not paths:
            return ()
        return await asyncio.to_thread(self._copy, paths, workspace)

    async def _list(self) -> tuple[str, ...]:
        async with self._listing:
            if self._paths is None:
                self._paths = await self._ask()
            return self._paths

    async def _ask(self) -> tuple[str, ...]:
        patterns = self.top_level / self.file_name
        if not patterns.is_file():
            return ()
        answer = await self.checkout.run(
            *("ls-files", "-z", "--others", "--ignored", f"--exclude-from={patterns}")
        )
        paths = os.fsdecode(answer.stdout).split("\0")
        return tuple(path for path in paths if path and not path.endswith("/"))

    def _copy(self, paths: tuple[str, ...], workspace: Path) -> tuple[str, ...]:
        root = workspace.resolve()
        return tuple(path for path in paths if self._copy_one(path, workspace / path, root))

    def _copy_one(self, path: str, target: Path, root: Path) -> bool:
        source = self.top_level / path
        if exists(target) or not _is_copyable(source, self.top_level):
            return False
        if not target.parent.resolve().is_relative_to(root):
            return False  # a folder of the commit is a link that leaves the workspace
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
        except (FileNotFoundError, FileExistsError, NotADirectoryError):
            return False  # the user has removed it since, or the commit has a file in its way
        return True


def _is_copyable(source: Path, top_level: Path) -> bool:
    """A file, or a relative link that stays in the repository: others lead out of a workspace."""
    if not source.is_symlink():
        return source.is_file()
    target = source.readlink()
    inside = (source.parent / target).resolve().is_relative_to(top_level)
    return inside and not target.is_absolute()
