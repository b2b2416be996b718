"""Moves a branch from one commit to another exactly once, however often we die meanwhile.

Protocol: hold the landing lock; if the new commit is in the branch, it is done; if the branch is
not where it was, refuse; else compare-and-swap. A candidate is the same commit whenever it is made,
so a repeated move finds the first one's work. An orphaned `update-ref` holds the lock it inherited,
and one without it still loses the swap.
"""

from dataclasses import dataclass

from pex_tui.adapters.git.file_lock import file_lock
from pex_tui.adapters.git.refs import Refs
from pex_tui.adapters.git.worktrees import checkouts
from pex_tui.core.ids import CommitId
from pex_tui.core.text import clean
from pex_tui.engine.ports import LandingError, Moved, MoveRefused


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch that is moved with no checkout following it."""

    refs: Refs
    name: str

    @property
    def ref(self) -> str:
        """The full name of its ref."""
        return f"refs/heads/{self.name}"

    async def tip(self) -> CommitId:
        """The commit it points at; raise LandingError when there is no such branch."""
        tip = await self.refs.read(self.ref)
        if tip is None:
            raise LandingError(
                f"The branch {self.name} is gone. `git for-each-ref refs/pex` lists the work that "
                f"is kept; bring the branch back with `git branch {self.name} COMMIT`."
            )
        return tip

    async def create(self, commit: CommitId) -> None:
        """Make the branch at the commit, or leave it where it is; raise LandingError."""
        async with file_lock(self.refs.lock, self.refs.lock_patience_seconds) as descriptor:
            if await self.refs.read(self.ref) is not None:
                return
            folder = self.name.partition("/")[0]
            if await self.refs.read(f"refs/heads/{folder}") is not None:
                raise LandingError(
                    f"The branch {folder} is in the way of {self.name}: git keeps both in one "
                    f"place. Rename it (`git branch -m {folder} OTHER`), then try again."
                )
            nothing = CommitId("0" * len(commit))
            await self.refs.write(self.ref, commit, nothing, descriptor, "begins")

    async def move(self, old: CommitId, new: CommitId, words: str) -> Moved | MoveRefused:
        """Move it from `old` to `new`; Moved as well when it holds `new` already.

        `words` go to the reflog. Raises LandingError when it is checked out somewhere, or when git
        can't write it.
        """
        async with file_lock(self.refs.lock, self.refs.lock_patience_seconds) as descriptor:
            found = await self._look(old, new)
            if found is not None:
                return found
            await self._refuse_if_checked_out()
            try:
                await self.refs.write(self.ref, new, old, descriptor, words)
            except LandingError:
                found = await self._look(old, new)  # somebody without the lock was faster
                if found is None:
                    raise
            return found or Moved()

    async def _look(self, old: CommitId, new: CommitId) -> Moved | MoveRefused | None:
        """What is so already; None when the branch is at `old`, ready to move."""
        tip = await self.tip()
        if await self.refs.contains(tip, new):
            return Moved()
        if tip != old:
            return MoveRefused(f"{self.name} is at {tip[:10]}, no longer at {old[:10]}")
        return None

    async def _refuse_if_checked_out(self) -> None:
        for checkout in await checkouts(self.refs.git):
            if checkout.branch == self.ref:
                raise LandingError(
                    f"{self.name} is checked out in {clean(str(checkout.path))}, and moving it "
                    "would make that checkout look changed. Switch it to another branch there "
                    "(`git switch --detach`), then retry."
                )
