"""Work of finished runs that has reached one of the user's branches and needs no ref any more."""

from collections.abc import Collection, Iterable

from msgspec import Struct

from pex_tui.adapters.git.capture.snapshot import changed_paths
from pex_tui.adapters.git.plumbing.commit_message import RUN_TRAILER, trailers_of
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.ref_names import landed_ref
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.run_refs import BRANCHES, run_prefix


class KeptRef(Struct, frozen=True):
    """A ref of ours and the commit that it names."""

    name: str
    commit: CommitId

    def task(self, run: RunId) -> TaskId | None:
        """Return the task that the ref belongs to; None for a ref of the whole run."""
        task, slash, _ = self.name.removeprefix(run_prefix(run)).partition("/")
        return TaskId(task) if slash else None


async def list_refs(git: Git, *patterns: str) -> list[KeptRef]:
    """Return the refs that match a pattern or are below it, without tags; raise GitError."""
    listing = await git.text("for-each-ref", "--format=%(objectname) %(refname)", *patterns)
    lines = [line.split(" ", 1) for line in listing.split("\n") if line]
    return [KeptRef(name, CommitId(commit)) for commit, name in lines]


class Landed(Struct, frozen=True):
    """The content of the user's branches: `tips` are theirs, `tasks` those in their commits."""

    git: Git
    tips: tuple[str, ...]
    tasks: frozenset[tuple[RunId, TaskId]]

    async def holds_ref(self, run: RunId, ref: KeptRef) -> bool:
        """Return whether deleting the ref would lose nothing; raise GitError."""
        if ref.name == landed_ref(run):
            return await self.holds_branch(ref.commit)
        task = ref.task(run)
        if task is not None and (run, task) in self.tasks:
            return True
        return not await self._missing(ref.commit) or await self._holds_changes(ref.commit)

    async def holds_branch(self, tip: CommitId) -> bool:
        """Return whether the branches hold each integration commit, or its replay.

        Raises GitError.
        """
        missing = await self._missing(tip)
        if not missing:
            return True
        command = ("log", "--no-walk", "-z", "--format=%B", "--stdin")
        messages = await self.git.run(*command, stdin=_lines(missing))
        named = [trailers_of(message) for message in messages.stdout.split(b"\0") if message]
        return all(name is not None and name in self.tasks for name in named)

    async def _missing(self, commit: CommitId) -> list[str]:
        """Return the commits up to this one that no branch of the user holds."""
        known = [f"^{tip}" for tip in self.tips]
        listing = await self.git.text("rev-list", "--stdin", stdin=_lines([commit, *known]))
        return listing.split()

    async def _holds_changes(self, commit: CommitId) -> bool:
        """Return whether HEAD has each path as in the commit: its change is there already."""
        parents = (await self.git.text("rev-list", "--parents", "-n1", commit)).split()[1:]
        if len(parents) != 1:
            return False
        changed = set(await changed_paths(self.git, parents[0], commit))
        return changed.isdisjoint(await changed_paths(self.git, commit, "HEAD"))


async def read_landed(git: Git, runs: Collection[RunId]) -> Landed:
    """Read what the user's branches hold of these runs; raise GitError."""
    refs = await list_refs(git, "refs/heads", "refs/remotes")
    tips = tuple({ref.commit for ref in refs if not ref.name.startswith(f"{BRANCHES}/")} | {"HEAD"})
    if not runs:
        return Landed(git, tips, frozenset())
    command = ("log", "-z", "--format=%B", f"--grep=^{RUN_TRAILER}: ", "--stdin")
    answer = await git.run(*command, stdin=_lines(tips))
    named = {trailers_of(message) for message in answer.stdout.split(b"\0")}
    return Landed(git, tips, frozenset(name for name in named if name is not None))


def _lines(revisions: Iterable[str]) -> bytes:
    """Return revisions for `--stdin`: a command line has no room for thousands of branches."""
    return "".join(f"{revision}\n" for revision in revisions).encode()
