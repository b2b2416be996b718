"""The branches that a run lands on.

The integration branch moves from one commit to the next exactly once, however often this process
dies meanwhile. Protocol: hold the landing lock; if the new commit is the last landing, nothing is
left to do; otherwise compare-and-swap, and write a record of our own beside the branch in the same
transaction. A candidate is the same commit whenever it is made, so a repeated move finds the result
of the first. An orphaned `update-ref` holds the lock that it inherited, and one without the lock
loses the swap.

Anybody can move or delete a branch, so its position proves nothing. The last landing is known from
the journal, or from the record if the journal is an older copy or was not written before a crash. A
branch found elsewhere is put back, its commit is kept under a ref, and the user is notified.
"""

from collections.abc import Iterable

from msgspec import Struct

from pex_tui.adapters.git.plumbing.ref_names import found_ref, is_at, landed_ref
from pex_tui.adapters.git.plumbing.ref_writer import Refs
from pex_tui.adapters.git.user_repository.checked_out_branches import checkouts
from pex_tui.adapters.git.user_repository.landing_history import landings_of
from pex_tui.core.model.ids import CommitId, RunId
from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import LandingError, Moved, MoveRefused


class Branch(Struct, frozen=True):
    """A branch by its name."""

    refs: Refs
    name: str

    @property
    def ref(self) -> str:
        """The full name of its ref."""
        return f"refs/heads/{self.name}"


class _Found(Struct, frozen=True):
    """The commits of the branch and of our own record of landings; None if missing.

    `folder` is that of a branch named like the folder which the branch is in.
    """

    branch: CommitId | None
    record: CommitId | None
    folder: CommitId | None


class IntegrationBranch:
    """A run's own branch; `tip` is the last landing in the journal, initially the base."""

    def __init__(self, branch: Branch, run: RunId, tip: CommitId) -> None:
        self.branch = branch
        self._refs = branch.refs
        self._run = run
        self._tip = tip
        self._notices: list[str] = []

    @property
    def name(self) -> str:
        """The branch's name."""
        return self.branch.name

    def tell(self, lines: Iterable[str]) -> None:
        """Queue notices for the user, without repeating those queued already."""
        self._notices += [line for line in lines if line not in self._notices]

    def take_notices(self) -> tuple[str, ...]:
        """Return the notices about the branch, each of them once."""
        told = tuple(self._notices)
        self._notices.clear()
        return told

    async def tip(self) -> CommitId:
        """Return the last landing, regardless of where the branch is; raise GitError."""
        return self._tip if self._is_in_place else await self._learn(await self._read())

    async def begin(self) -> None:
        """Create the branch, or put it at the last landing; raise LandingError, GitError."""
        async with self._refs.locked() as descriptor:
            known, found = self._tip, await self._read()
            if await self._learn(found) != known:
                self._notices.append(
                    f"{self.name} holds landings that the journal of run {self._run} does not "
                    f"know of, up to {self._tip[:10]}: they stay."
                )
            await self._put_back(found, descriptor)

    async def guard(self) -> None:
        """Put the branch back if somebody moved it; raise LandingError, GitError."""
        if self._is_in_place:
            return
        found = await self._read()
        if found.branch != await self._learn(found):
            async with self._refs.locked() as descriptor:
                await self._put_back(await self._read(), descriptor)

    async def move(self, old: CommitId, new: CommitId, words: str) -> Moved | MoveRefused:
        """Move it from `old` to `new`; return Moved also if it holds `new` already.

        `words` go to the reflog. Raises LandingError if it is checked out somewhere, or git cannot
        write it.
        """
        async with self._refs.locked() as descriptor:
            found = await self._read()
            tip = await self._learn(found)
            if await self._refs.contains(tip, new):
                await self._put_back(found, descriptor)
                return Moved()
            if tip != old:
                return MoveRefused(f"{self.name} is at {tip[:10]}, no longer at {old[:10]}")
            await self._put_back(found, descriptor)
            await self.refuse_if_checked_out()
            await self._refs.write(
                self.branch.ref, new, old, descriptor, words, also=landed_ref(self._run)
            )
            self._tip = new
            return Moved()

    async def put(self, old: CommitId, new: CommitId, words: str) -> Moved | MoveRefused:
        """Move it from `old` to any other commit, as a rollback does; the caller keeps `old`.

        Return Moved also if it is there already. Raises LandingError as `move` does.
        """
        async with self._refs.locked() as descriptor:
            found = await self._read()
            if new in {found.branch, found.record}:
                self._tip = new
                await self._put_back(found, descriptor)
                return Moved()
            if await self._learn(found) != old:
                return MoveRefused(f"{self.name} is at {self._tip[:10]}, no longer at {old[:10]}")
            await self._put_back(found, descriptor)
            await self.refuse_if_checked_out()
            await self._refs.write(
                self.branch.ref, new, old, descriptor, words, also=landed_ref(self._run)
            )
            self._tip = new
            return Moved()

    @property
    def _is_in_place(self) -> bool:
        """True if the branch and our record of it are seen to be at the last landing."""
        refs = (self.branch.ref, landed_ref(self._run))
        return all(is_at(self._refs.git, ref, self._tip) for ref in refs)

    async def _read(self) -> _Found:
        refs = (self.branch.ref, landed_ref(self._run), f"refs/heads/{self._folder}")
        return _Found(*await self._refs.read_all(*refs))

    async def _learn(self, found: _Found) -> CommitId:
        """Return the last landing, which the refs may have before the journal does."""
        # A run of an earlier version has no record: its branch may have it.
        record = found.branch if found.record is None else found.record
        is_ours = found.record is not None
        if record not in {None, self._tip} and await self._follows(record, is_ours=is_ours):
            self._tip = record
        return self._tip

    async def _follows(self, record: CommitId, *, is_ours: bool) -> bool:
        """Return whether a commit adds only landings of ours to the last landing.

        Commits that others may have put there count only if our merges kept them.
        """
        if not await self._refs.contains(record, self._tip):
            return False
        landings = await landings_of(
            self._refs.git, self._run, record, self._tip, must_be_kept=not is_ours
        )
        return landings is not None

    async def _put_back(self, found: _Found, lock: int) -> None:
        """Have the branch at what landed last; the landing lock has been held since `found`."""
        there = found.branch
        if there == self._tip:
            return
        if there is None:
            self._refuse_if_folder_is_taken(found)
        elif not await self._refs.contains(self._tip, there):
            await self._refs.write(found_ref(self._run, there), there, None, lock, "keeps")
        await self.refuse_if_checked_out()
        nothing = CommitId("0" * len(self._tip))
        await self._refs.write(
            self.branch.ref, self._tip, there or nothing, lock, "begins", also=landed_ref(self._run)
        )
        if there is not None or found.record is not None:
            self._notices.append(self._told(there))

    def _told(self, there: CommitId | None) -> str:
        back = f"It is back at {self._tip[:10]}, as landed last"
        if there is None:
            return f"Somebody else deleted {self.name}. {back}."
        return (
            f"Somebody else moved {self.name} to {there[:10]}, which is no landing of this run. "
            f"{back}; what it held is kept: `git log {self._tip[:10]}..{there[:10]}`."
        )

    @property
    def _folder(self) -> str:
        return self.name.partition("/")[0]

    def _refuse_if_folder_is_taken(self, found: _Found) -> None:
        folder = self._folder
        if found.folder is not None:
            raise LandingError(
                f"The branch {folder} is in the way of {self.name}: git keeps both in one "
                f"place. Rename it (`git branch -m {folder} OTHER`), then try again."
            )

    async def refuse_if_checked_out(self) -> None:
        """Raise LandingError if a work tree has it checked out: moving it would confuse that."""
        for checkout in await checkouts(self._refs.git):
            if checkout.branch == self.branch.ref:
                raise LandingError(
                    f"{self.name} is checked out in {clean(str(checkout.path))}, and moving it "
                    "would make that checkout look changed. Switch it to another branch there "
                    "(`git switch --detach`), then retry."
                )
