"""Move one of the user's branches forward, with the checkout that has it."""

from msgspec import Struct

from pex_tui.adapters.git.landing.half_landed import (
    Landing,
    LandingNote,
    repair_landing,
    repair_landing_locked,
)
from pex_tui.adapters.git.plumbing.file_lock import file_lock
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.stand_in_directory import user_git
from pex_tui.adapters.git.user_repository.checked_out_branches import checkouts
from pex_tui.adapters.git.user_repository.integration_branch import Branch
from pex_tui.adapters.git.user_repository.repository_notices import user_setting
from pex_tui.adapters.git.user_repository.user_checkout import IndexLockedError, UserCheckout
from pex_tui.core.model.ids import CommitId, RunId
from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import LandingError


class UserBranch(Struct, frozen=True):
    """A branch of the user's; `checkout` is git on the checkout that the user started in.

    `hint` is the command to repeat once the way is free, `elsewhere` the advice if another work
    tree has the branch checked out.
    """

    branch: Branch
    checkout: Git
    note: LandingNote
    run: RunId
    hint: str
    elsewhere: str

    async def repair(self) -> None:
        """Finish or undo an interrupted move; raise GitError, LandingError, OSError."""
        await repair_landing(self.branch.refs, self.checkout, self.note)

    async def advance(self, old: CommitId, new: CommitId, words: str) -> bool:
        """Move the branch, with the user's checkout; return False if it is no longer at `old`.

        `words` go to the reflog. Raises LandingError, GitError, with nothing changed.
        """
        branch, refs = self.branch, self.branch.refs
        async with file_lock(refs.lock, refs.lock_patience_seconds) as descriptor:
            if await refs.read(branch.ref) != old:
                return False
            checkout = await self._checkout_of()
            if checkout is None:
                await refs.write(branch.ref, new, old, descriptor, words)
            else:
                place = (str(checkout.path), str(checkout.git.git_dir))
                self.note.write(Landing(branch.ref, old, new, *place, self.run))
                try:
                    await checkout.fast_forward(old, new, descriptor)
                except IndexLockedError:
                    self.note.clear()  # nothing to repair, and the lock is another program's
                    raise
                finally:  # a refused or interrupted landing is undone at once
                    await repair_landing_locked(self.checkout, self.note, descriptor)
            if await refs.read(branch.ref) != new:
                raise LandingError(
                    f"{branch.name} was switched or moved by another program at the very moment of "
                    f"landing. Look at `git reflog {branch.name}`, then {self.hint}."
                )
            return True

    async def refuse_if_in_the_way(self, old: CommitId, new: CommitId) -> None:
        """Raise LandingError if anything of the user's is in the way of the move."""
        checkout = await self._checkout_of()
        if checkout is not None:
            await checkout.refuse_if_in_the_way(old, new)

    async def _checkout_of(self) -> UserCheckout | None:
        """Return the user's checkout if the branch is checked out there.

        None if it is checked out nowhere. Raises LandingError if another work tree has it, or a
        rebase of it is in progress.
        """
        branch, git, mine = self.branch, self.branch.refs.git, self._mine()
        if mine is not None and mine.is_rebasing(branch.ref):
            raise LandingError(
                f"A rebase of {branch.name} is in progress in {clean(str(mine.path))}. Finish or "
                f"abort it, then {self.hint}.",
                passing=False,
            )
        found = None
        for place in await checkouts(git):
            if place.branch != branch.ref:
                continue
            # Git only guesses the main work tree's path, so it is identified by its git directory.
            is_mine = mine is not None and (
                mine.git.git_dir == user_git(git).git_dir
                if place.is_main
                else place.path == mine.path
            )
            if not is_mine:
                raise LandingError(
                    f"{branch.name} is checked out in {clean(str(place.path))}. {self.elsewhere}; "
                    f"or switch it to another branch, then {self.hint}.",
                    passing=False,
                )
            found = mine
        return found

    def _mine(self) -> UserCheckout | None:
        """Return the checkout that the user started in; None if it is gone."""
        path = self.checkout.work_tree
        if path is None or not path.is_dir():
            return None
        return UserCheckout(self.checkout, path, self.hint)


async def unsigned_notice(checkout: Git, old: CommitId) -> str:
    """Return a notice that the commits after `old` are unsigned, if the user signs theirs."""
    if await user_setting(checkout, "commit.gpgSign", "bool") != "true":
        return ""
    return f" They are not signed: `git rebase -S --force-rebase {old[:10]}` signs them."
