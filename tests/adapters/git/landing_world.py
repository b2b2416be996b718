"""A run on a small repository: works made without a checkout, and a lander for them."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from pex_tui.adapters.git.landing.gate_runner import GateOptions
from pex_tui.adapters.git.landing.lander import GitLander, LanderOptions
from pex_tui.adapters.git.plumbing.filesystem import remove_tree
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.core.model.ids import AgentName, CommitId, RunId, TaskId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.ports import Conflicted, Merged, Moved
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project, with_stand_in
from tests.adapters.git.object_store import Entries, changed, listed, put_blob, put_commit

RUN = RunId("7f3a")
BRANCH = f"pex/{RUN}"
SUBMODULE = "160000"
LINES = "".join(f"line {number}\n" for number in range(1, 21))
_ENTRIES: dict[str, Entries] = {}  # of the commits that any world knows


@dataclass(frozen=True, slots=True)
class Entry:
    """A path's entry in a tree: a mode and a content (a commit id for a submodule)."""

    mode: str
    content: bytes


Tree = Mapping[str, str | bytes | Entry | None]


def executable(content: str) -> Entry:
    return Entry("100755", content.encode())


def link(target: str) -> Entry:
    return Entry("120000", target.encode())


def submodule(commit: str) -> Entry:
    return Entry(SUBMODULE, commit.encode())


def edited(**changes: str) -> str:
    """Return twenty lines with some replaced: `edited(l3="three")`."""
    lines = LINES.splitlines()
    for name, text in changes.items():
        lines[int(name[1:]) - 1] = text
    return "".join(f"{line}\n" for line in lines)


def key(task: str, attempt: int = 1) -> AttemptKey:
    return AttemptKey(RUN, TaskId(task), attempt)


def spec(task: str, message: str = "", agent: str | None = "coder") -> TaskSpec:
    named = AgentName(agent) if agent else None
    return TaskSpec(TaskId(task), ("true",), agent=named, commit_message=message or f"Do {task}")


@dataclass
class World:
    """A repository with a base commit, and operations of a run on it."""

    project: Project
    places: RunPaths
    base: CommitId
    options: LanderOptions
    always_anew: bool = False
    """Whether each use of the lander is that of an engine which has just started."""
    seconds: int = 1_700_000_000
    _lander: GitLander | None = None
    _lander_options: LanderOptions | None = None

    @property
    def lander(self) -> GitLander:
        """Return the engine's lander; with other options, another engine's."""
        if self._lander is None or self.always_anew or self._lander_options is not self.options:
            self._lander, self._lander_options = GitLander(self.options), self.options
        return self._lander

    def begin_another_run(self) -> None:
        """Put the branch and its record back to the base, and let another engine take over."""
        for name in (f"heads/{BRANCH}", f"pex/{RUN}/_landed"):
            self.git("update-ref", f"refs/{name}", self.base)
        self._lander = None

    def start_again(self) -> None:
        """Let a run begin with git's current settings."""
        remove_tree(self.places.root.resolve().with_name("settings"))
        with_stand_in(self.options.repository, self.places)

    def with_gate(self, *verify: tuple[str, ...], **options: object) -> GitLander:
        gate = replace(GateOptions(verify), **options)
        return GitLander(replace(self.options, gate=gate))

    def git(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        return os.fsdecode(self._bytes(*args, env=env)).removesuffix("\n")

    def _bytes(self, *args: str, stdin: str = "", env: Mapping[str, str] | None = None) -> bytes:
        done = subprocess.run(
            ["git", *args],
            cwd=self.project.path,
            input=stdin.encode(),
            env={**os.environ, **(env or {})},
            check=True,
            capture_output=True,
        )
        return done.stdout

    def commit(self, parent: str, changes: Tree, message: str = "work") -> CommitId:
        """Commit on the parent without touching index and checkout; None removes a path."""
        if parent not in _ENTRIES:
            _ENTRIES[parent] = listed(self.git("ls-tree", "-r", "-z", parent))
        put = {os.fsencode(path): self._put(entry) for path, entry in changes.items()}
        entries = changed(_ENTRIES[parent], put)
        self.seconds += 60
        made = put_commit(self.project.path / ".git", entries, parent, message, self.seconds)
        _ENTRIES[made] = entries
        return CommitId(made)

    def work(self, changes: Tree, start: str | None = None) -> CommitId:
        """Return what an attempt would have captured."""
        return self.commit(start or self.base, changes)

    def rebase_onto(self, changes: Tree) -> None:
        """Put these files into the base, on the user's branch as well."""
        base = self.commit(self.base, changes, "base")
        self.project.git("reset", "-q", "--hard", base)
        self.base = base
        self.options = replace(self.options, base=base)

    async def merge(self, task: str, work: CommitId) -> Merged | Conflicted:
        return await self.lander.merge(key(task), spec(task), work)

    async def land(self, task: str, work: CommitId) -> CommitId:
        """Merge and move; return the commit that landed."""
        merged = await self.merge(task, work)
        assert isinstance(merged, Merged)
        assert await self.lander.move(key(task), merged.tip, merged.candidate) == Moved()
        return merged.candidate

    async def landed(self, task: str, changes: Tree) -> CommitId:
        """Land a task with these changes to the base."""
        return await self.land(task, self.work(changes))

    async def conflict(self, theirs: Tree, ours: Tree) -> tuple[CommitId, Conflicted]:
        """Land `theirs`; return the work of `ours`, which must conflict, and its result."""
        await self.landed("first", theirs)
        work = self.work(ours)
        found = await self.merge("second", work)
        assert isinstance(found, Conflicted)
        return work, found

    def tip(self) -> CommitId:
        return CommitId(self.git("rev-parse", BRANCH))

    def files(self, commit: str) -> dict[str, tuple[str, str]]:
        """Return (mode, content) of each path of a commit; for a submodule, its commit."""
        entries = listed(self.git("ls-tree", "-r", "-z", commit))
        contents = self._blobs(name for mode, name in entries.values() if mode != SUBMODULE)
        return {
            os.fsdecode(path): (mode, contents.get(name, name))
            for path, (mode, name) in entries.items()
        }

    def _blobs(self, names: Iterable[str]) -> dict[str, str]:
        wanted = sorted(set(names))
        answers = self._bytes("cat-file", "--batch", stdin="".join(f"{name}\n" for name in wanted))
        found = {}
        for name in wanted:
            head, _, answers = answers.partition(b"\n")
            size = int(head.split()[2])
            found[name] = answers[:size].decode("utf-8", "surrogateescape")
            answers = answers[size + 1 :]
        return found

    def fsck(self) -> None:
        self.git("fsck", "--strict", "--no-dangling")

    def commits_on(self, branch: str = BRANCH) -> list[str]:
        """Return the subjects of landed commits, oldest first."""
        return self.git("log", "--reverse", "--format=%s", f"{self.base}..{branch}").splitlines()

    def _put(self, entry: str | bytes | Entry | None) -> tuple[str, str] | None:
        if entry is None:
            return None
        if isinstance(entry, str):
            entry = entry.encode()
        found = entry if isinstance(entry, Entry) else Entry("100644", entry)
        if found.mode == SUBMODULE:
            return found.mode, found.content.decode()
        return found.mode, put_blob(self.project.path / ".git", found.content)


def make_world(project: Project, places: RunPaths, git_class: type[Git] = Git) -> World:
    """Return a run on the project's `main`; its integration branch does not exist yet."""
    base = CommitId((project.path / ".git" / "refs" / "heads" / "main").read_text().strip())
    git_dir = (project.path / ".git").resolve()
    top_level = project.path.resolve()
    repository = with_stand_in(Repository(top_level, git_dir, git_dir), places)
    git, checkout = repository.git, repository.checkout
    options = LanderOptions(
        git=git_class(git.git_dir, env=git.env),
        checkout=git_class(git_dir, top_level, checkout.env),
        repository=repository,
        places=places,
        run=RUN,
        branch=BRANCH,
        base=base,
        goal="Improve it",
    )
    return World(project, places, base, options)
