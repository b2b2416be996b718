"""Git state of a workspace that its files alone do not show: commits, stashes, index, a rebase.

All of it is optional: an agent may have damaged its index or HEAD, and its files still count. The
workspace's git directory is only read: as text, as an index, as an object store. Git never runs in
it.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from msgspec import Struct, field

from pex_tui.adapters.git.isolation.agent_refs import (
    AgentRefs,
    file_text,
    parse_packed,
    read_agent_refs,
)
from pex_tui.adapters.git.isolation.object_transfer import with_objects_of
from pex_tui.adapters.git.isolation.workspace_repository import MARK, initial_refs
from pex_tui.adapters.git.plumbing.filesystem import exists, is_folder
from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE, Git, GitError, GitResult
from pex_tui.adapters.git.plumbing.shadow_index import LISTING
from pex_tui.adapters.git.plumbing.sparse_patterns import has_patterns
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.core.model.ids import CommitId
from pex_tui.core.sanitize import clean

_INTERRUPTED = ("rebase-merge/orig-head", "rebase-apply/orig-head")
_ALL_THE_SAME = "its files are kept anyway"
_NOTHING = GitResult(0, b"", "")
_WENT_WHOLE = re.compile(r"^\s*sparseCheckout\s*=\s*\"?false", re.IGNORECASE | re.MULTILINE)
# An entry of `ls-files --debug`: only a file that git has looked at has its mtime.
_DEBUGGED = re.compile(
    rb"([^\0]+)\0  ctime: .*\n  mtime: (\d+):.*\n  dev: .*\n  uid: .*\n  size: .*\n"
)
_HALF_DONE = {  # kept by git until the operation is finished
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisection",
}


class AgentGitUse(Struct, frozen=True):
    """Actions of an agent in git that a person should know, each phrased to follow its name."""

    oddities: tuple[str, ...] = ()
    own_commits: int = 0


class OwnWork(Struct, frozen=True):
    """Commits of the agent that its files do not show, newest first, by where they were found.

    `left` are commits that neither HEAD nor a stash holds, by branch or short id.
    """

    head: CommitId | None = None
    interrupted: CommitId | None = None
    stashes: tuple[CommitId, ...] = ()
    left: dict[str, CommitId] = field(default_factory=dict)

    @property
    def commits(self) -> tuple[CommitId, ...]:
        """All of these commits."""
        ends = [end for end in (self.head, self.interrupted) if end is not None]
        return (*ends, *self.stashes, *self.left.values())


class AgentGit(Struct, frozen=True, dict=True):
    """The git directory of a workspace, read through the user's `git`, which has no work tree."""

    git: Git
    worktree: Worktree

    @cached_property
    def _reader(self) -> Git:
        git = with_objects_of(self.git, self._git_dir)
        return git.at(self.worktree.path)

    @property
    def _git_dir(self) -> Path:
        return self.worktree.git_dir

    async def added(self, start: CommitId) -> list[str]:
        """Return paths that the agent added to its index or commits, ignored ones included."""
        command = ("diff-index", "--cached", "-z", "--name-only", "--no-renames")
        answer = await self._ask_index(*command, "--diff-filter=A", start)
        paths = os.fsdecode(answer.stdout).split("\0")
        return [path for path in paths if path and _is_file(self.worktree.path / path)]

    @property
    def is_narrowed(self) -> bool:
        """True if the agent's checkout is, or once was, a sparse one."""
        return has_patterns(self._git_dir)

    @property
    def went_whole(self) -> bool:
        """True if the agent ran `sparse-checkout disable`."""
        return _WENT_WHOLE.search(file_text(self._git_dir / "config.worktree")) is not None

    async def listed(self) -> bytes:
        """Return the listing of its index, for `parse_listing`."""
        return (await self._ask_index(*LISTING)).stdout

    async def seen(self) -> frozenset[str]:
        """Return the paths of its index that were on disk at some time."""
        answer = await self._ask_index("ls-files", "--debug", "-z")
        entries = _DEBUGGED.finditer(answer.stdout)
        return frozenset(os.fsdecode(entry[1]) for entry in entries if int(entry[2]))

    async def own_work(self, start: CommitId) -> OwnWork:
        """Return the commits that the agent made and that its files do not show."""
        if not self.is_its_own:
            return OwnWork()
        found = await asyncio.to_thread(read_agent_refs, self._git_dir)
        named = found.head
        if self.worktree.is_linked and found.branch:  # this one is the user's repository
            named = await self._commit(f"refs/heads/{found.branch}") or ""
        head = await self._commit(named) if named not in {"", start} else None
        interrupted = await self._interrupted()
        laid = parse_packed(file_text(initial_refs(self.worktree.path)))
        moved = {} if self.worktree.is_linked else found.moved(laid)
        stashes = () if self.worktree.is_linked else found.stashes
        beside = {*moved.values(), *found.logged} - {start, *laid.values()}
        if not beside and not stashes:
            return OwnWork(head, interrupted)
        new = await self._new(found, [*stashes, *beside])
        kept = tuple(CommitId(oid) for oid in stashes if oid in new)
        known = [end for end in (head, interrupted) if end is not None]
        left = await self._new(found, sorted(beside), [*known, *kept])
        parents = {parent for parents in left.values() for parent in parents}
        names = {oid: name.removeprefix("refs/heads/") for name, oid in moved.items()}
        tips = [CommitId(oid) for oid in left if oid in beside and oid not in parents]
        return OwnWork(head, interrupted, kept, {names.get(tip, tip[:10]): tip for tip in tips})

    async def _interrupted(self) -> CommitId | None:
        """Return the commit it was on before an unfinished rebase."""
        for name in _INTERRUPTED:
            commit = _line(self._git_dir / name)
            if re.fullmatch(r"[0-9a-f]{40,64}", commit):
                return await self._commit(commit)
        return None

    async def habits(self, start: CommitId, own: OwnWork) -> AgentGitUse:
        """Return what the agent did to its history, branch and repository."""
        if not self.is_its_own:
            return AgentGitUse(tuple(self._ties()))
        told = list(self._half_done())
        branch = _line(self._git_dir / "HEAD").removeprefix("ref: refs/heads/")
        if branch != _line(self._git_dir / "HEAD"):
            told.append(f"worked on a branch of its own, {clean(branch)}")
        if own.head is None:
            return AgentGitUse(tuple(told))
        if await self._lines("merge-base", start, own.head) != [start]:
            told.append(
                "rewrote its history, or moved to another commit: its files count as they are, "
                f"and the commit that it stood on, {own.head[:10]}, is kept"
            )
            return AgentGitUse(tuple(told))
        (count,) = await self._lines("rev-list", "--count", f"{start}..{own.head}") or ["0"]
        return AgentGitUse(tuple(told), int(count))

    @property
    def is_its_own(self) -> bool:
        """True if the workspace still has the repository that it was given."""
        link, git_dir = self.worktree.path / ".git", self._git_dir
        if self.worktree.is_linked:
            return _line(link) == f"gitdir: {git_dir}" and exists(git_dir)
        return is_folder(link) and (link / MARK).is_file()

    def _ties(self) -> Iterator[str]:
        """Yield what became of the repository that the workspace was given."""
        if exists(self.worktree.path / ".git"):
            yield f"put another repository in place of its workspace's own; {_ALL_THE_SAME}"
        else:
            yield f"deleted the .git folder of its workspace; {_ALL_THE_SAME}"

    def _half_done(self) -> Iterator[str]:
        for name, what in _HALF_DONE.items():
            if exists(self._git_dir / name):
                yield f"left a {what} half done; {_ALL_THE_SAME}"

    async def _new(
        self, found: AgentRefs, tips: list[str], known: list[CommitId] | None = None
    ) -> dict[str, list[str]]:
        """Return commits of the tips that neither the user nor a remote has, with their parents."""
        stdin = "".join(
            [
                *(f"{tip}\n" for tip in tips),
                *(f"^{one}\n" for one in (*found.fetched, *(known or ()))),
            ]
        )
        command = ("rev-list", "--parents", "--ignore-missing", "--stdin", "--not", "--all")
        try:
            answer = await self._reader.run(*command, stdin=stdin.encode())
        except GitError:
            return {}
        lines = [line.split() for line in answer.text.splitlines()]
        return {commit: parents for commit, *parents in lines}

    async def _commit(self, name: str) -> CommitId | None:
        try:
            answer = await self._reader.run("rev-parse", "-q", "--verify", f"{name}^{{commit}}")
        except GitError:
            return None
        return CommitId(answer.text)

    async def _ask_index(self, *command: str) -> GitResult:
        index = self._git_dir / "index"
        if index.is_symlink() or not index.is_file():
            return _NOTHING
        try:
            return await self._reader.run(
                *WHOLE_TREE, *command, env={"GIT_INDEX_FILE": os.fspath(index)}
            )
        except GitError:
            return _NOTHING

    async def _lines(self, *command: str) -> list[str]:
        try:
            return (await self._reader.run(*command)).text.splitlines()
        except GitError:
            return []


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _line(path: Path) -> str:
    return file_text(path).removesuffix("\n")
