"""The gate's own worktree: reset to a commit as if freshly made, whatever was left there."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.git.cli import Git, GitError
from pex_tui.adapters.git.folders import make_writable, put_file, remove_tree
from pex_tui.adapters.git.linked_worktree import WHOLE_TREE
from pex_tui.core.ids import CommitId

# What git makes of a worktree; the rest is half a merge, a lock, or settings of a check's own.
_GIT_MADE = frozenset({"HEAD", "commondir", "gitdir", "index", "locked", "logs", "refs"})


@dataclass(frozen=True, slots=True)
class GateWorkspace:
    """A locked worktree at `path`; ignored paths that match `keep` outlive a reset."""

    git: Git
    path: Path
    keep: tuple[str, ...] = ()

    async def reset(self, commit: CommitId, lock: int) -> None:
        """Make it a clean checkout of the commit; raise GitError.

        `lock` is the descriptor of a lock that git is to hold as long as it runs: whoever has the
        lock later knows that no `index.lock` here is in use.
        """
        git_dir = self._git_dir()
        if git_dir is not None:
            try:
                await self._check_out(git_dir, commit, lock)
            except (GitError, OSError):
                remove_tree(git_dir)  # a crash half-way, or a check that wrecked it
            else:
                return
        await self._check_out(await self._add(commit, lock), commit, lock)

    async def _check_out(self, git_dir: Path, commit: CommitId, lock: int) -> None:
        self.path.mkdir(exist_ok=True)
        self._repair(git_dir)
        here = self.git.at(self.path, git_dir)
        # A check may have switched to a branch, which a reset alone would move along.
        await here.run("update-ref", "--no-deref", "HEAD", commit, pass_fds=(lock,))
        await here.run(*WHOLE_TREE, "reset", "-q", "--hard", pass_fds=(lock,))
        kept = [option for pattern in self.keep for option in ("-e", pattern)]
        clean = (*WHOLE_TREE, "clean", "-ffdxq", *kept)
        try:
            await here.run(*clean, pass_fds=(lock,))
        except GitError:
            make_writable(self.path)
            await here.run(*clean, pass_fds=(lock,))
        self._index.parent.mkdir(exist_ok=True)
        shutil.copy2(git_dir / "index", self._index)

    async def _add(self, commit: CommitId, lock: int) -> Path:
        remove_tree(self.path)
        remove_tree(self._index)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        await self.git.run(
            *("worktree", "add", "--force", "--force", "--detach", "--no-checkout"),
            *("--lock", "--reason", "pex-tui gate", str(self.path), commit),
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

    def _repair(self, git_dir: Path) -> None:
        """Undo what a check did to git's own files here, the flags in the index included."""
        for entry in list(git_dir.iterdir()):
            if entry.name not in _GIT_MADE:
                remove_tree(entry)
        put_file(self.path / ".git", f"gitdir: {git_dir}\n")
        remove_tree(git_dir / "index")
        if self._index.is_file():
            shutil.copy2(self._index, git_dir / "index")  # its time tells git what it can't trust

    @property
    def _index(self) -> Path:
        """A copy of the index as our last reset left it, out of the checks' sight."""
        return self.path.with_name(f"{self.path.name}.shadow") / "index"
