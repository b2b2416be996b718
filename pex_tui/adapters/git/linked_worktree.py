"""Makes, repairs, resets and removes linked worktrees, whatever an agent did to them.

The administrative folder (`.git/worktrees/<id>`) is found by our own record, never through the
worktree's `.git` file. Before a reset it is brought back to what git made: no half-done merge, no
sparse checkout, no configuration, no lock of a git that is dead (attempts end before a reset), and
with the index as we saw it last, so that no flag an agent set on an entry hides a change.
"""

import asyncio
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.git.cli import Git, GitError
from pex_tui.adapters.git.folders import is_folder, make_writable, put_file, remove_tree
from pex_tui.adapters.git.worktree_record import Worktree
from pex_tui.core.ids import CommitId

# Nothing that a checkout's own configuration says may hide files from us.
WHOLE_TREE = (
    *("-c", "core.sparseCheckout=false", "-c", "index.sparse=false", "-c", "core.splitIndex=false"),
    *("-c", "submodule.recurse=false", "-c", "core.safecrlf=false"),
)
_GIT_MADE = frozenset(
    {"HEAD", "commondir", "gitdir", "index", "locked", "logs", "refs", "reftable"}
)
_LOCK_REASON = "pex-tui"
_ADD_ATTEMPTS = 3
_RETRY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class LinkedWorktrees:
    """The worktrees of one repository; ignored paths that match `keep` outlive a reset."""

    common_dir: Path
    keep: tuple[str, ...]
    creation: asyncio.Lock

    def git(self, worktree: Worktree) -> Git:
        """Git as the agent in the worktree has it, but sure of its directories."""
        return Git(worktree.git_dir, worktree.path, {"GIT_COMMON_DIR": str(self.common_dir)})

    async def add(self, path: Path, commit: CommitId) -> Worktree:
        """Make an empty worktree at the path, one at a time: git races on its own lock files."""
        async with self.creation:
            await asyncio.to_thread(remove_tree, path)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._remove_half_made(path.parent)
            try:
                await self._add(path, commit)
            finally:
                self._remove_half_made(path.parent)
        link = (path / ".git").read_text("utf-8", "surrogateescape")
        return Worktree(path, Path(link.removeprefix("gitdir: ").removesuffix("\n")))

    async def _add(self, path: Path, commit: CommitId) -> None:
        command = (
            *("worktree", "add", "--force", "--force", "--detach", "--no-checkout"),
            *("--lock", "--reason", _LOCK_REASON, str(path), commit),
        )
        for attempt in range(1, _ADD_ATTEMPTS + 1):
            try:
                await Git(self.common_dir).run(*WHOLE_TREE, *command)
                break
            except GitError:
                if attempt == _ADD_ATTEMPTS:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)  # the user's git may hold a lock file

    def _remove_half_made(self, pool: Path) -> None:
        """Remove what a `git worktree add` left that was ended while it made a place of ours.

        As long as one `commondir` is empty, git refuses to work with any worktree. Such an entry
        has no index yet, so there is no work in it.
        """
        for link in (self.common_dir / "worktrees").glob("*/gitdir"):
            with suppress(OSError):  # another is being removed meanwhile, or isn't ours to read
                place = Path(link.read_text("utf-8", "surrogateescape").removesuffix("\n")).parent
                if place.parent == pool and not link.with_name("commondir").stat().st_size:
                    remove_tree(link.parent)

    async def reset(self, worktree: Worktree, commit: CommitId) -> None:
        """Bring the worktree to the commit as if freshly made; raise GitError or OSError."""
        self._repair(worktree)
        git = self.git(worktree)
        await self.detach(worktree, commit)
        self._trust_our_index(worktree)
        await git.run(*WHOLE_TREE, "reset", "-q", "--hard", commit)
        await self._clean(git, worktree.path)
        await self._empty_submodules(git, worktree.path)

    async def plant(self, worktree: Worktree, tree: str) -> None:
        """Put a tree into a worktree that was just reset, as changes on its commit."""
        await self.git(worktree).run(*WHOLE_TREE, "read-tree", "--reset", "-u", tree)

    async def detach(self, worktree: Worktree, commit: CommitId) -> None:
        """Let go of a branch that the agent switched to: a reset would move it along."""
        head = (worktree.git_dir / "HEAD").read_text("ascii", "replace")
        if not re.fullmatch(r"[0-9a-f]{40,64}\n", head):
            await self.git(worktree).run("update-ref", "--no-deref", "HEAD", commit)

    async def remove(self, worktree: Worktree) -> None:
        """Remove the folder and all that belongs to it; raise OSError."""
        await asyncio.to_thread(self._remove, worktree)

    def _remove(self, worktree: Worktree) -> None:
        """What `git worktree remove` does, which refuses a worktree that an agent has broken."""
        remove_tree(worktree.path)
        if self._is_ours(worktree):
            remove_tree(worktree.git_dir)
        if is_folder(self.common_dir / "worktrees") and not any(
            (self.common_dir / "worktrees").iterdir()
        ):
            (self.common_dir / "worktrees").rmdir()
        remove_tree(worktree.shadow)
        remove_tree(worktree.glance)
        remove_tree(worktree.radar)
        remove_tree(worktree.users)
        worktree.record.unlink(missing_ok=True)

    def _is_ours(self, worktree: Worktree) -> bool:
        """Whether the administrative folder is still this worktree's, and no other's by now."""
        try:
            link = (worktree.git_dir / "gitdir").read_text("utf-8", "surrogateescape")
        except OSError:
            return False
        is_below = worktree.git_dir.parent == self.common_dir / "worktrees"
        return is_below and link.removesuffix("\n") == str(worktree.path / ".git")

    def _repair(self, worktree: Worktree) -> None:
        """Undo what was done to the folder's ties to the repository; raise OSError if it is gone.

        A folder that has become a link is never followed: it might lead to the user's files.
        """
        if not is_folder(worktree.path) or not is_folder(worktree.git_dir):
            raise FileNotFoundError(f"{worktree.path} is no worktree any more")
        for entry in list(worktree.git_dir.iterdir()):
            if entry.name not in _GIT_MADE and not (entry.name == "modules" and self.keep):
                remove_tree(entry)
        for folder in ("logs", "refs"):
            if (worktree.git_dir / folder).exists():
                remove_tree(worktree.git_dir / folder)
                (worktree.git_dir / folder).mkdir()
        put_file(worktree.git_dir / "commondir", "../..\n")
        put_file(worktree.git_dir / "gitdir", f"{worktree.path}/.git\n")
        put_file(worktree.git_dir / "locked", _LOCK_REASON)
        put_file(worktree.path / ".git", f"gitdir: {worktree.git_dir}\n")

    def _trust_our_index(self, worktree: Worktree) -> None:
        """Our own index knows each file's stat data, so an unchanged file costs one `lstat`."""
        index = worktree.git_dir / "index"
        remove_tree(index)
        ours = worktree.shadow / "index"
        if ours.is_file():
            shutil.copy2(ours, index)  # its time tells git which entries it can't trust

    async def _clean(self, git: Git, path: Path) -> None:
        kept = [option for pattern in self.keep for option in ("-e", pattern)]
        command = (*WHOLE_TREE, "clean", "-ffdxq", *kept)
        try:
            await git.run(*command)
        except GitError:
            await asyncio.to_thread(make_writable, path)
            await git.run(*command)

    async def _empty_submodules(self, git: Git, path: Path) -> None:
        if not (path / ".gitmodules").is_file():
            return
        kept = {pattern.strip("/") for pattern in self.keep}
        listing = await git.run(*WHOLE_TREE, "ls-files", "-s", "-z")
        for line in os.fsdecode(listing.stdout).split("\0"):
            head, _, name = line.partition("\t")
            folder = path / name
            if head.startswith("160000 ") and name not in kept and is_folder(folder):
                await asyncio.to_thread(remove_tree, folder)
                folder.mkdir()
