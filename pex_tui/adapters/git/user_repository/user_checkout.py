"""Fast-forward the user's own checkout, unless the user's work is in the way."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.ref_lock import is_orphaned, lock_in, suspects
from pex_tui.core.model.ids import CommitId
from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import LandingError

_SHOWN_PATHS = 8
_UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}


class IndexLockedError(LandingError):
    """Another program has the checkout's index, so git changed nothing."""


class UserCheckout(Struct, frozen=True):
    """A checkout that a person works in; `git` has its git directory and work tree.

    `hint` is the command to repeat once the way is free.
    """

    git: Git
    path: Path
    hint: str

    def is_rebasing(self, ref: str) -> bool:
        """Return whether a rebase of the branch is in progress here, with a detached HEAD."""
        heads = [self.git.git_dir / kind / "head-name" for kind in ("rebase-merge", "rebase-apply")]
        return any(head.read_text().strip() == ref for head in heads if head.is_file())

    async def refuse_if_in_the_way(self, old: CommitId, new: CommitId) -> None:
        """Raise LandingError if anything of the user's is in the way from `old` to `new`."""
        where = clean(str(self.path))
        for mark, name in _UNDER_WAY.items():
            if (self.git.git_dir / mark).exists():
                raise LandingError(
                    f"A {name} is in progress in {where}. Finish or abort it, then {self.hint}.",
                    passing=False,
                )
        changed = await self._changed()
        if changed:
            raise LandingError(
                f"Not committed in {where}: {_listed(changed)}. Commit or stash them, then "
                f"{self.hint}.",
                passing=False,
            )
        untracked = await self._untracked_in_the_way(old, new)
        if untracked:
            raise LandingError(
                f"Not tracked by git in {where}, where the run has files of its own: "
                f"{_listed(untracked)}. Move, commit or stash them (`git stash -u`), then "
                f"{self.hint}.",
                passing=False,
            )

    async def fast_forward(self, old: CommitId, new: CommitId, lock: int) -> None:
        """Move the checkout and its branch to `new` together; raise LandingError, nothing lost.

        Done by git's own merge: it checks every file again under the index lock, moves the branch
        last, and runs to its end even if this process dies. `lock` is a descriptor that it holds
        meanwhile.
        """
        await self.refuse_if_in_the_way(old, new)
        # A user's merge options (`branch.main.mergeOptions`, `merge.autoStash`) must not apply
        # here.
        options = ["--ff-only", "--commit", "--no-squash", "--no-autostash", "--no-stat"]
        options += ["--no-verify-signatures", "--no-overwrite-ignore", "-q"]
        command = ("merge", *options, new)
        try:
            await self.git.run_through(*command, pass_fds=(lock,))
        except GitError as error:
            self._unlock(error)
        else:
            return
        try:
            await self.git.run_through(*command, pass_fds=(lock,))
        except GitError as error:
            raise self._refusal(error) from None

    def _unlock(self, error: GitError) -> None:
        """Remove the lock file that stopped git if its owner is dead.

        Otherwise raise LandingError.
        """
        found = lock_in(str(error))
        if found is None:
            raise self._refusal(error) from None
        if is_orphaned(found):
            found.unlink(missing_ok=True)
            return
        where = clean(str(found))
        owners = suspects(found)
        if owners:
            words = f"{owners} is at work in {clean(str(self.path))} and has {where}. Let it end"
        else:
            words = f"{where} was made just now, perhaps by a git at work. Wait until it is gone"
        kind = IndexLockedError if found.name == "index.lock" else LandingError
        raise kind(f"{words}, then {self.hint}.")

    def _refusal(self, error: GitError) -> LandingError:
        return LandingError(
            f"git left {clean(str(self.path))} as it was: {clean(str(error))}. Clear the way, "
            f"then {self.hint}.",
            passing=error.may_pass,
        )

    async def _changed(self) -> list[str]:
        """Return tracked files that differ from the last commit, in the index or on disk."""
        answer = await self.git.run(
            *("status", "--porcelain", "-z", "--no-renames"),
            *("--untracked-files=no", "--ignore-submodules=dirty"),
        )
        records = answer.stdout.decode("utf-8", "surrogateescape").split("\0")
        return [record[3:] for record in records if record]

    async def _untracked_in_the_way(self, old: CommitId, new: CommitId) -> list[str]:
        """Return untracked or ignored paths at which `new` has files and `old` has none."""
        answer = await self.git.run(
            "diff-tree", "-r", "--no-renames", "--name-status", "-z", old, new
        )
        tokens = answer.stdout.decode("utf-8", "surrogateescape").split("\0")
        changes = list(zip(tokens[1::2], tokens[0::2], strict=False))
        added = [path for path, status in changes if status == "A"]
        tracked = {path for path, status in changes if status != "A"}
        return sorted({path for place in added for path in self._occupied(place, tracked)})

    def _occupied(self, added: str, tracked: set[str]) -> Iterator[str]:
        """Yield the path, or the part of it, that an untracked file occupies."""
        pure = PurePosixPath(added)
        for ancestor in [*reversed(pure.parents), pure]:
            name = str(ancestor)
            place = self.path / name
            if name in tracked or not os.path.lexists(place):
                continue
            is_folder = place.is_dir() and not place.is_symlink()
            if not is_folder or (ancestor == pure and _holds_untracked(place, name, tracked)):
                yield name
                return


def _holds_untracked(folder: Path, name: str, tracked: set[str]) -> bool:
    """Return whether a folder to be replaced by a file contains anything that git would keep."""
    return any(
        f"{name}/{file.relative_to(folder).as_posix()}" not in tracked
        for file in folder.rglob("*")
        if file.is_symlink() or not file.is_dir()
    )


def _listed(paths: list[str]) -> str:
    shown = ", ".join(clean(path) for path in paths[:_SHOWN_PATHS])
    more = len(paths) - _SHOWN_PATHS
    return f"{shown} and {more} more" if more > 0 else shown
