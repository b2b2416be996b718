"""Write refs past locks whose git is dead."""

import asyncio
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.ref_lock import is_orphaned, lock_in
from pex_tui.adapters.git.plumbing.stand_in_directory import user_git
from pex_tui.core.model.ids import CommitId

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


def _holds(git: Git, lock: Path) -> bool:
    """Return whether a lock file belongs to the repository."""
    places = (git.git_dir.resolve(), user_git(git).git_dir)
    return any(lock.is_relative_to(place) for place in places)
