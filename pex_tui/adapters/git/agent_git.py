"""What an agent told git in its workspace that the files alone don't show.

All of it is optional: an agent may have wrecked its index or its HEAD, and its files still count.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.git.cli import Git, GitError
from pex_tui.adapters.git.folders import exists
from pex_tui.adapters.git.linked_worktree import WHOLE_TREE
from pex_tui.adapters.git.shadow import IndexEntry
from pex_tui.adapters.git.worktree_record import Worktree
from pex_tui.core.ids import CommitId

_INTERRUPTED = ("rebase-merge/orig-head", "rebase-apply/orig-head")


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


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _line(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").removesuffix("\n")
    except OSError:
        return ""
