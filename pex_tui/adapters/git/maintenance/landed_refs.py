"""What of finished runs has reached a branch of the user's, so that nothing else need keep it."""

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
        """The task that the ref belongs to; None for a ref of the run as a whole."""
        task, slash, _ = self.name.removeprefix(run_prefix(run)).partition("/")
        return TaskId(task) if slash else None


async def list_refs(git: Git, *patterns: str) -> list[KeptRef]:
    """The refs that match a pattern or lie below it, tags apart; raise GitError."""
    listing = await git.text("for-each-ref", "--format=%(objectname) %(refname)", *patterns)
    lines = [line.split(" ", 1) for line in listing.split("\n") if line]
    return [KeptRef(name, CommitId(commit)) for commit, name in lines]


class Landed(Struct, frozen=True):
    """What the user's branches hold: `tips` are theirs, `tasks` all that their commits name."""

    git: Git
    tips: tuple[str, ...]
    tasks: frozenset[tuple[RunId, TaskId]]

    async def holds_ref(self, run: RunId, ref: KeptRef) -> bool:
        """Whether nothing is lost without the ref; raise GitError."""
        if ref.name == landed_ref(run):
            return await self.holds_branch(ref.commit)
        task = ref.task(run)
        if task is not None and (run, task) in self.tasks:
            return True
        return not await self._missing(ref.commit) or await self._holds_changes(ref.commit)

    async def holds_branch(self, tip: CommitId) -> bool:
        """Whether each commit of an integration branch is there, or its replay; raise GitError."""
        missing = await self._missing(tip)
        if not missing:
            return True
        command = ("log", "--no-walk", "-z", "--format=%B", "--stdin")
        messages = await self.git.run(*command, stdin=_lines(missing))
        named = [trailers_of(message) for message in messages.stdout.split(b"\0") if message]
        return all(name is not None and name in self.tasks for name in named)

    async def _missing(self, commit: CommitId) -> list[str]:
        """The commits up to this one that no branch of the user's holds."""
        known = [f"^{tip}" for tip in self.tips]
        listing = await self.git.text("rev-list", "--stdin", stdin=_lines([commit, *known]))
        return listing.split()

    async def _holds_changes(self, commit: CommitId) -> bool:
        """Whether HEAD has each path as the commit left it: its change is there already."""
        parents = (await self.git.text("rev-list", "--parents", "-n1", commit)).split()[1:]
        if len(parents) != 1:
            return False
        changed = set(await changed_paths(self.git, parents[0], commit))
        return changed.isdisjoint(await changed_paths(self.git, commit, "HEAD"))


async def read_landed(git: Git, runs: Collection[RunId]) -> Landed:
    """What the user's branches hold of these runs; raise GitError."""
    refs = await list_refs(git, "refs/heads", "refs/remotes")
    tips = tuple({ref.commit for ref in refs if not ref.name.startswith(f"{BRANCHES}/")} | {"HEAD"})
    if not runs:
        return Landed(git, tips, frozenset())
    command = ("log", "-z", "--format=%B", f"--grep=^{RUN_TRAILER}: ", "--stdin")
    answer = await git.run(*command, stdin=_lines(tips))
    named = {trailers_of(message) for message in answer.stdout.split(b"\0")}
    return Landed(git, tips, frozenset(name for name in named if name is not None))


def _lines(revisions: Iterable[str]) -> bytes:
    """Revisions for `--stdin`: a command line has no room for those of thousands of branches."""
    return "".join(f"{revision}\n" for revision in revisions).encode()
