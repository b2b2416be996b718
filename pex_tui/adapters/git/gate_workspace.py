"""The gate's own worktree: reset to a commit as if freshly made, whatever was left there."""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pex_tui.adapters.git.cli import Git, GitError
from pex_tui.core.ids import CommitId


@dataclass(frozen=True, slots=True)
class GateWorkspace:
    """A locked worktree at `path`; ignored paths that match `keep` outlive a reset."""

    git: Git
    path: Path
    keep: tuple[str, ...] = ()

    async def reset(self, commit: CommitId, lock: int) -> None:
        """Make it a clean checkout of the commit; raise GitError.

        `lock` is the descriptor of a lock that git is to hold as long as it runs: whoever has the
        lock later knows that an `index.lock` here belongs to no one.
        """
        git_dir = self._git_dir()
        if git_dir is not None:
            try:
                await self._check_out(git_dir, commit, lock)
            except (GitError, OSError):
                self._remove(git_dir)  # a crash half-way, or a test that wrecked it
            else:
                return
        await self._check_out(await self._add(commit, lock), commit, lock)

    async def _check_out(self, git_dir: Path, commit: CommitId, lock: int) -> None:
        self.path.mkdir(exist_ok=True)
        self._restore_link(git_dir)
        for stale in ("index.lock", "HEAD.lock"):
            (git_dir / stale).unlink(missing_ok=True)
        here = self.git.at(self.path, git_dir)
        # A check may have switched to a branch, which a reset alone would move along.
        await here.run("update-ref", "--no-deref", "HEAD", commit, pass_fds=(lock,))
        await here.run(
            *("-c", "submodule.recurse=false", "reset", "-q", "--hard"), pass_fds=(lock,)
        )
        kept = [option for pattern in self.keep for option in ("-e", pattern)]
        await here.run("clean", "-ffdxq", *kept, pass_fds=(lock,))

    async def _add(self, commit: CommitId, lock: int) -> Path:
        if self.path.exists():
            _remove_tree(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        await self.git.run(
            *("worktree", "add", "--detach", "--no-checkout", "--lock", "--reason", "pex-tui gate"),
            *(str(self.path), commit),
            pass_fds=(lock,),
        )
        git_dir = self._git_dir()
        if git_dir is None:
            raise GitError(("worktree", "add"), 0, f"git made no worktree at {self.path}")
        return git_dir

    def _git_dir(self) -> Path | None:
        """Its administrative folder, by what the repository says and never by its own `.git`."""
        for link in sorted((self.git.git_dir / "worktrees").glob("*/gitdir")):
            if link.read_text("utf-8", "surrogateescape").strip() == str(self.path / ".git"):
                return link.parent
        return None

    def _restore_link(self, git_dir: Path) -> None:
        """Checks that ask git about their checkout must find the right one."""
        link, content = self.path / ".git", f"gitdir: {git_dir}\n"
        if link.is_dir() and not link.is_symlink():
            _remove_tree(link)
        elif link.is_symlink() or not link.exists():
            link.unlink(missing_ok=True)
        elif link.read_text("utf-8", "surrogateescape") == content:
            return
        link.write_text(content, "utf-8", "surrogateescape")

    def _remove(self, git_dir: Path) -> None:
        _remove_tree(git_dir)
        if self.path.exists():
            _remove_tree(self.path)


def _remove_tree(folder: Path) -> None:
    """Remove the folder even where a test has left folders that may not be written."""

    def unlock(remove: Callable[[str], Any], path: str, _: object) -> None:
        os.chmod(os.path.dirname(path), stat.S_IRWXU)  # noqa: PTH101, PTH120 (rmtree's callback)
        if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 (likewise)
            os.chmod(path, stat.S_IRWXU)  # noqa: PTH101 (likewise)
            shutil.rmtree(path)
        else:
            remove(path)

    shutil.rmtree(folder, onerror=unlock)
