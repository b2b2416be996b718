"""What an agent told git in its workspace that the files alone don't show.

All of it is optional: an agent may have wrecked its index or its HEAD, and its files still count.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.git.cli import Git, GitError
from pex_tui.adapters.git.folders import exists
from pex_tui.adapters.git.linked_worktree import WHOLE_TREE
from pex_tui.adapters.git.shadow import IndexEntry
from pex_tui.adapters.git.worktree_record import Worktree
from pex_tui.core.ids import CommitId
from pex_tui.core.text import clean

_INTERRUPTED = ("rebase-merge/orig-head", "rebase-apply/orig-head")
_ON_A_BRANCH = "ref: refs/heads/"
_ALL_THE_SAME = "its files count all the same"
_HALF_DONE = {  # what git keeps in its folder until it is done
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisection",
}


@dataclass(frozen=True, slots=True)
class Habits:
    """What an agent did with git that a person should know; each oddity goes on after its name."""

    oddities: tuple[str, ...] = ()
    own_commits: int = 0


@dataclass(frozen=True, slots=True)
class AgentGit:
    """The agent's own index and HEAD in a worktree."""

    git: Git
    worktree: Worktree

    async def added(self, start: CommitId) -> list[str]:
        """Paths that it added to its index or its commits, ignored ones (`add -f`) included."""
        if not (self.worktree.git_dir / "index").is_file():
            return []
        command = ("diff-index", "--cached", "-z", "--name-only", "--no-renames")
        paths = await self._ask(*command, "--diff-filter=A", start)
        return [path for path in paths if _is_file(self.worktree.path / path)]

    async def sparse(self) -> list[IndexEntry]:
        """What it left out of its checkout on purpose (`sparse-checkout`): not deleted."""
        if not (self.worktree.git_dir / "info" / "sparse-checkout").is_file():
            return []
        entries = []
        for line in await self._ask("ls-files", "-t", "-s", "-z"):
            head, _, path = line.partition("\t")
            tag, mode, oid, _ = head.split(" ")
            if tag == "S" and not exists(self.worktree.path / path):
                entries.append(IndexEntry(mode, oid, path))
        return entries

    async def head(self, start: CommitId) -> CommitId | None:
        """The commit it stands on, None when that is the start commit or can't be told."""
        if _line(self.worktree.git_dir / "HEAD") == start:
            return None
        commit = await self._commit("HEAD")
        return None if commit == start else commit

    async def interrupted(self) -> CommitId | None:
        """Where it stood before a rebase that is half done."""
        for name in _INTERRUPTED:
            commit = _line(self.worktree.git_dir / name)
            if re.fullmatch(r"[0-9a-f]{40,64}", commit):
                return await self._commit(commit)
        return None

    async def habits(self, start: CommitId) -> Habits:
        """What it did to its history, its branch and its ties to the repository."""
        told = [*self._ties(), *self._half_done()]
        branch = _line(self.worktree.git_dir / "HEAD").removeprefix(_ON_A_BRANCH)
        if branch != _line(self.worktree.git_dir / "HEAD"):
            told.append(f"worked on the branch {clean(branch)}, which stays where it left that")
        head = await self.head(start)
        if head is None:
            return Habits(tuple(told))
        if await self._lines("merge-base", start, head) != [start]:
            told.append(
                "rewrote its history, or moved to another commit: its files count as they are, "
                f"and the commit that it stood on, {head[:10]}, is kept"
            )
            return Habits(tuple(told))
        (count,) = await self._lines("rev-list", "--count", f"{start}..{head}") or ["0"]
        return Habits(tuple(told), int(count))

    def _ties(self) -> Iterator[str]:
        """What became of the `.git` file, and of the folder that it names."""
        link, git_dir = self.worktree.path / ".git", self.worktree.git_dir
        if not exists(link):
            yield f"deleted the .git file of its workspace; {_ALL_THE_SAME}"
        elif link.is_symlink() or link.is_dir() or _line(link) != f"gitdir: {git_dir}":
            yield f"put another repository in place of its workspace's own; {_ALL_THE_SAME}"
        if not exists(git_dir):
            yield f"removed git's record of its workspace; {_ALL_THE_SAME}"

    def _half_done(self) -> Iterator[str]:
        for name, what in _HALF_DONE.items():
            if exists(self.worktree.git_dir / name):
                yield f"left a {what} half done; {_ALL_THE_SAME}"

    async def _commit(self, name: str) -> CommitId | None:
        try:
            answer = await self.git.run("rev-parse", "-q", "--verify", f"{name}^{{commit}}")
        except GitError:
            return None
        return CommitId(answer.text)

    async def _ask(self, *command: str) -> list[str]:
        try:
            answer = await self.git.run(*WHOLE_TREE, *command)
        except GitError:
            return []
        return [entry for entry in os.fsdecode(answer.stdout).split("\0") if entry]

    async def _lines(self, *command: str) -> list[str]:
        try:
            return (await self.git.run(*command)).text.splitlines()
        except GitError:
            return []


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _line(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").removesuffix("\n")
    except OSError:
        return ""
