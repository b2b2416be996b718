"""Write refs under the landing lock, removing ref locks whose git is dead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.plumbing.file_lock import file_lock
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.ref_lock import suspects
from pex_tui.adapters.git.plumbing.ref_names import read_ref, read_refs
from pex_tui.adapters.git.plumbing.ref_update import (
    PATIENCE_SECONDS,
    RefLockedError,
    update_refs,
)
from pex_tui.core.model.ids import CommitId
from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import LandingError


class Refs(Struct, frozen=True):
    """The refs of a repository; `lock` is the file of the landing lock, held by every writer.

    The patience limits the wait for that lock, and for a ref lock that some git holds.
    """

    git: Git
    lock: Path
    lock_patience_seconds: float = 60.0
    ref_patience_seconds: float = PATIENCE_SECONDS

    async def read(self, ref: str) -> CommitId | None:
        """Return the commit that a full ref names; None if there is no such ref."""
        return await read_ref(self.git, ref)

    async def read_all(self, *refs: str) -> list[CommitId | None]:
        """Return the commit that each full ref names, None where there is no such ref."""
        return await read_refs(self.git, *refs)

    async def contains(self, tip: CommitId, commit: CommitId) -> bool:
        """Return whether the commit is the tip or one of its ancestors; raise GitError."""
        if commit == tip:
            return True
        answer = await self.git.run("merge-base", "--is-ancestor", commit, tip, ok=(0, 1))
        return answer.status == 0

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[int]:
        """Hold the landing lock; yield its descriptor. Raises LandingError."""
        async with file_lock(self.lock, self.lock_patience_seconds) as descriptor:
            yield descriptor

    async def keep(self, ref: str, commit: CommitId) -> None:
        """Put the commit under a ref of ours, whatever the ref held; raise LandingError."""
        async with self.locked() as descriptor:
            await self.write(ref, commit, None, descriptor, "keeps")

    async def write(
        self,
        ref: str,
        new: CommitId,
        old: CommitId | None,
        descriptor: int,
        words: str,
        *,
        also: str = "",
    ) -> None:
        """Write the ref, which must be at `old` if that is given; raise LandingError.

        The caller holds the lock, and so does git, through `descriptor`. An `old` of zeros means
        that the ref must not exist. `words` go to the reflog. The ref `also` gets the same commit
        in the same transaction.
        """
        lines = f"update {ref} {new} {old or ''}".rstrip() + "\n"
        lines += f"update {also} {new}\n" if also else ""
        try:
            await update_refs(
                self.git,
                lines,
                *("-m", f"pex-tui: {words}"),
                ours=(new,),
                pass_fds=(descriptor,),
                patience_seconds=self.ref_patience_seconds,
            )
        except RefLockedError as error:
            raise LandingError(await _locked(ref, error.lock)) from None
        except GitError as error:
            raise LandingError(f"git can't write {ref}: {clean(str(error))}") from None


async def _locked(ref: str, lock: Path) -> str:
    holders = await asyncio.to_thread(suspects, lock)
    who = f"perhaps held by {holders}" if holders else "and its age does not prove it abandoned"
    return (
        f"git can't write {ref}: {clean(str(lock))} exists, {who}. Let that end; if no git runs "
        "here, delete the file. Then retry."
    )
