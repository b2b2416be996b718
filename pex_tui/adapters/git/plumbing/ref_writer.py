"""Write refs, past ref locks whose git is dead; landings write theirs under the landing lock."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.plumbing.file_lock import file_lock
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.ref_lock import is_orphaned, lock_in, suspects
from pex_tui.adapters.git.plumbing.ref_names import read_ref, read_refs
from pex_tui.core.model.ids import CommitId
from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import LandingError

PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.1


class RefLockedError(GitError):
    """A ref that some git holds; `lock` is the lock file."""

    def __init__(self, error: GitError, lock: Path) -> None:
        super().__init__(error.git_args, error.status, error.stderr)
        self.lock = lock


async def update_refs(
    git: Git,
    lines: str,
    *options: str,
    ours: Collection[str] = (),
    pass_fds: tuple[int, ...] = (),
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Run `update-ref --stdin`; remove locks in its way whose owner is dead.

    `ours` are commits that only we write. Raises RefLockedError when a lock stays for longer than
    the patience, else GitError.
    """
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            await git.run(
                *("update-ref", "--stdin", *options), stdin=lines.encode(), pass_fds=pass_fds
            )
        except GitError as error:
            named = lock_in(error.stderr)  # the ref's, or that of HEAD or of packed-refs
            lock = named and named.resolve()  # processes with the lock open show its real path
            if lock is None or not _holds(git, lock):
                raise
            if await asyncio.to_thread(is_orphaned, lock, ours):
                lock.unlink(missing_ok=True)
            elif time.monotonic() > give_up_at:
                raise RefLockedError(error, lock) from None
            else:
                await asyncio.sleep(_POLL_SECONDS)
        else:
            return


async def write_refs(git: Git, refs: Mapping[str, CommitId]) -> None:
    """Set all of the refs or none; raise GitError."""
    lines = "".join(f"update {ref} {commit}\n" for ref, commit in refs.items())
    await update_refs(git, lines, ours=frozenset(refs.values()))


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

    async def replace(self, ref: str, commit: CommitId) -> None:
        """Put the commit under a ref of ours; another that it held is kept beside it.

        Raises LandingError.
        """
        async with self.locked() as descriptor:
            before = await self.read(ref)
            if before not in {None, commit}:
                await self.write(f"{ref}-{before[:10]}", before, None, descriptor, "keeps")
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
        in the same transaction, and tells whether a git that was killed has written them.
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
            if await self._holds(also or ref, new):
                return  # git was killed right after it had written it
            told = f"git can't write {ref}: {clean(str(error))}"
            raise LandingError(told, passing=error.may_pass) from None

    async def _holds(self, ref: str, commit: CommitId) -> bool:
        """Return whether the ref is at the commit, as far as git can tell."""
        try:
            return await self.read(ref) == commit
        except GitError:
            return False


async def _locked(ref: str, lock: Path) -> str:
    holders = await asyncio.to_thread(suspects, lock)
    who = f"perhaps held by {holders}" if holders else "and its age does not prove it abandoned"
    return (
        f"git can't write {ref}: {clean(str(lock))} exists, {who}. Let that end; if no git runs "
        "here, delete the file. Then retry."
    )


def _holds(git: Git, lock: Path) -> bool:
    """Return whether a lock file belongs to the repository, also one seen from a worktree."""
    link = git.git_dir / "commondir"
    common = git.git_dir / link.read_text().strip() if link.is_file() else git.git_dir
    places = (git.git_dir.resolve(), common.resolve(), (common / "refs").resolve().parent)
    return any(lock.is_relative_to(place) for place in places)
