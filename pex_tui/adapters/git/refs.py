"""Refs that are read, kept and swapped, with the landing lock in hand."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.git.cli import Git, GitError
from pex_tui.adapters.git.kept_refs import read_ref
from pex_tui.adapters.git.ref_lock import is_orphaned, suspects
from pex_tui.core.ids import CommitId
from pex_tui.core.text import clean
from pex_tui.engine.ports import LandingError


@dataclass(frozen=True, slots=True)
class Refs:
    """The refs of a repository; `lock` is the landing lock's file, that every writer holds."""

    git: Git
    lock: Path
    lock_patience_seconds: float = 60.0

    async def read(self, ref: str) -> CommitId | None:
        """The commit that a full ref names; None when there is no such ref."""
        return await read_ref(self.git, ref)

    async def contains(self, tip: CommitId, commit: CommitId) -> bool:
        """Whether the commit is the tip or one of its ancestors."""
        answer = await self.git.run("merge-base", "--is-ancestor", commit, tip, ok=(0, 1))
        return answer.status == 0

    async def keep(self, ref: str, commit: CommitId) -> None:
        """Put the commit under a ref of ours, whatever the ref held; raise GitError."""
        await self.git.run("update-ref", ref, commit)

    async def write(
        self, ref: str, new: CommitId, old: CommitId, descriptor: int, words: str
    ) -> None:
        """Compare-and-swap, holding the landing lock; raise LandingError.

        git inherits the lock through `descriptor`. A ref lock whose owner is dead is removed once.
        """
        lock = self.git.git_dir / f"{ref}.lock"
        try:
            await self._swap(ref, new, old, descriptor, words)
        except GitError as error:
            if not lock.exists():
                raise LandingError(f"{ref} can't be moved: {clean(str(error))}") from error
            if not is_orphaned(lock, new):
                who = suspects(lock) or "a git process"
                raise LandingError(
                    f"{ref} is locked by {who}. Wait for it, or end it, then retry."
                ) from error
            with suppress(FileNotFoundError):
                lock.unlink()
            await self._swap_again(ref, new, old, descriptor, words)

    async def _swap_again(
        self, ref: str, new: CommitId, old: CommitId, descriptor: int, words: str
    ) -> None:
        try:
            await self._swap(ref, new, old, descriptor, words)
        except GitError as error:
            raise LandingError(f"{ref} can't be moved: {clean(str(error))}") from error

    async def _swap(
        self, ref: str, new: CommitId, old: CommitId, descriptor: int, words: str
    ) -> None:
        await self.git.run(
            *("update-ref", "--create-reflog", "-m", f"pex-tui: {words}", ref, new, old),
            pass_fds=(descriptor,),
        )
