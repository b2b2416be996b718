"""The shadow: a git directory of ours for a worktree, which no agent can tamper with.

It has its own HEAD (the start commit) and its own index, which remembers each file's stat data. The
agent's index, HEAD, `.git` file and configuration are not used.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.plumbing.filesystem import exists, is_folder, put_file, remove_tree
from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE, Git, GitError
from pex_tui.adapters.git.plumbing.sparse_patterns import (
    ALL_FILES,
    NARROWED,
    PATTERNS,
    has_patterns,
    put_patterns,
    read_patterns,
)
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.core.model.ids import CommitId

# One file for each new object takes twice the time of a single pack, and a disk block each.
_MANY = 1000
_IN_ONE_PACK = ("-c", "core.bigFileThreshold=1")
_UNMERGED = frozenset({"DD", "AU", "UD", "UA", "DU", "AA", "UU"})


class Changes(Struct, frozen=True):
    """The differences between a work tree and the index.

    `nested` are untracked folders that are repositories of their own.
    """

    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()


class IndexEntry(Struct, frozen=True):
    """One entry to put into an index verbatim."""

    mode: str
    oid: str
    path: str


class ListedEntry(Struct, frozen=True):
    """One entry of an index, with its letter in `git ls-files -t`."""

    tag: str
    entry: IndexEntry

    @property
    def path(self) -> str:
        """The entry's path."""
        return self.entry.path

    @property
    def is_left_out(self) -> bool:
        """True if the entry is to have no file."""
        return self.tag == "S"


class ShadowIndex(Struct, frozen=True):
    """The work tree at `root`, seen through an index of ours since the commit `start`.

    With patterns, the work tree is a sparse checkout: files that they leave out count as unchanged,
    unless they are on disk.
    """

    git: Git
    root: Path
    start: CommitId

    @property
    def is_narrowed(self) -> bool:
        """True if the shadow has patterns."""
        return has_patterns(self.git.git_dir)

    def narrow(self, patterns: bytes | None) -> None:
        """Have the next restore check out what the patterns select, None for all; raise OSError."""
        if patterns is not None:
            folder = self.git.git_dir
            if not (folder / "index").is_file() and any(self.root.iterdir()):
                # No index entry would show which of the existing files the patterns leave out.
                raise FileNotFoundError(f"{folder} has no index any more")
            put_patterns(folder, patterns)
        elif self.is_narrowed:
            put_patterns(self.git.git_dir, ALL_FILES)

    async def listed(self) -> bytes:
        """Return the listing of the index, for `parse_listing`; raise GitError."""
        return (await self.git.run(*NARROWED, *LISTING)).stdout

    async def changes(self) -> Changes:
        """Return the differences from the index, without ignored files; raise GitError."""
        return _sorted(await self._status("--untracked-files=all"), self.root)

    async def tracked_changes(self) -> tuple[str, ...]:
        """Return the tracked paths that differ from the start commit; raise GitError."""
        return tuple(path for _, path in await self._status("--untracked-files=no"))

    async def _status(self, untracked: str) -> list[tuple[str, str]]:
        answer = await self.git.run(
            *(*NARROWED, "status", "--porcelain=v1", "-z", "--no-renames"),
            *("--ignore-submodules=dirty", untracked),
            env={"GIT_OPTIONAL_LOCKS": "1"},  # stores what it learns about unchanged files
        )
        entries = os.fsdecode(answer.stdout).split("\0")
        return [(entry[:2], entry[3:]) for entry in entries if entry]

    async def remove(self, paths: list[str]) -> None:
        """Remove the paths from the index; raise GitError."""
        await self.put([IndexEntry("0", "0" * len(self.start), path) for path in paths])

    async def put(self, entries: Sequence[IndexEntry]) -> None:
        """Put the entries into the index verbatim, mode 0 to remove; raise GitError."""
        if entries:
            lines = "".join(f"{entry.mode} {entry.oid} 0\t{entry.path}\0" for entry in entries)
            await self.git.run("update-index", "-z", "--index-info", stdin=os.fsencode(lines))

    async def leave_out(self, entries: Sequence[IndexEntry]) -> None:
        """Put the entries into the index as entries without a file; raise GitError."""
        if entries:
            await self.put(entries)
            await self.git.run(
                *("update-index", "-z", "--skip-worktree", "--stdin"),
                stdin=os.fsencode("".join(f"{entry.path}\0" for entry in entries)),
            )

    async def add(self, paths: list[str]) -> None:
        """Add the paths' contents to the index and the object store; raise GitError."""
        if paths:
            many = _IN_ONE_PACK if len(paths) >= _MANY else ()
            await self.git.run(
                *(*NARROWED, *many, "update-index", "-z"),
                *("--add", "--remove", "--replace", "--ignore-skip-worktree-entries", "--stdin"),
                stdin=os.fsencode("".join(f"{path}\0" for path in paths)),
            )

    async def tree(self) -> str:
        """Write the index as a tree; raise GitError."""
        return (await self.git.run(*WHOLE_TREE, "write-tree")).text

    async def restore(self, pass_fds: tuple[int, ...] = ()) -> None:
        """Reset index and tracked files to the start commit; raise GitError."""
        command = ("-c", "core.logAllRefUpdates=false", "reset", "-q", "--hard")
        options = NARROWED if self.is_narrowed else WHOLE_TREE
        await self.git.run(*options, *command, pass_fds=pass_fds)

    async def forget_index(self) -> None:
        """Rebuild the index from the start commit, without any stat data; raise GitError."""
        remove_tree(self.git.git_dir / "index")
        await self.git.run(*WHOLE_TREE, "read-tree", self.start)
        if self.is_narrowed:
            # In an empty work tree, this only marks the entries that the patterns leave out.
            with tempfile.TemporaryDirectory(prefix="pex-tui-") as nothing:
                git = self.git.at(Path(nothing))
                await git.run(*NARROWED, "sparse-checkout", "reapply")


LISTING = ("ls-files", "-t", "-s", "-z")
"""The command whose output `parse_listing` reads."""


def parse_listing(lines: Iterable[bytes]) -> dict[str, ListedEntry]:
    """Parse index entries by path; an unmerged path counts once."""
    found = {}
    for line in sorted(lines):
        head, _, path = os.fsdecode(line).partition("\t")
        if path:
            tag, mode, oid, _ = head.split(" ")
            found[path] = ListedEntry(tag, IndexEntry(mode, oid, path))
    return found


def _sorted(entries: list[tuple[str, str]], root: Path) -> Changes:
    removed: list[str] = []
    changed: list[str] = []
    new: list[str] = []
    nested: list[str] = []
    for code, path in entries:
        if code == "??":
            (nested if path.endswith("/") else new).append(path.rstrip("/"))
        elif code in _UNMERGED:
            (changed if exists(root / path) else removed).append(path)
        elif code[1] == "D":
            removed.append(path)
        elif code[1] != " ":
            changed.append(path)
    return Changes(tuple(removed), tuple(changed), tuple(new), tuple(nested))


async def shadow_of(worktree: Worktree, git: Git) -> ShadowIndex:
    """Return the worktree's shadow as it was left, rebuilt if broken; raise GitError.

    `git` is on the repository, without a work tree.
    """
    if worktree.commit is None:
        raise GitError((), -1, f"{worktree.path} was never fully prepared")
    folder = worktree.shadow
    is_whole = (folder / "HEAD").is_file() and (folder / "index").is_file()
    shadow = fresh_shadow(worktree, worktree.commit, git)
    if not is_whole:
        await shadow.forget_index()
    return shadow


def fresh_shadow(worktree: Worktree, commit: CommitId, git: Git) -> ShadowIndex:
    """Return the worktree's shadow on a commit, keeping its index; raise OSError."""
    _make_folder(worktree.shadow, git, commit)
    return shadow_in(worktree.shadow, worktree.path, commit, git)


def shadow_in(folder: Path, root: Path, start: CommitId, git: Git) -> ShadowIndex:
    """Return the shadow kept in the folder, for the work tree at `root`."""
    return ShadowIndex(git.at(root, folder), root, start)


def seed_shadow(folder: Path, git_dir: Path, git: Git, commit: CommitId) -> None:
    """Start a shadow with the index of another git directory; raise OSError."""
    _make_folder(folder, git, commit)
    # An index may be split in two; its mtime tells git which entries may be racy.
    for index in [*git_dir.glob("sharedindex.*"), git_dir / "index"]:
        remove_tree(folder / index.name)  # replacing it would wait for the disk
        shutil.copy2(index, folder / index.name)
    patterns = read_patterns(git_dir)
    if patterns is not None:
        put_patterns(folder, patterns)
    else:
        (folder / PATTERNS).unlink(missing_ok=True)


def _make_folder(folder: Path, git: Git, commit: CommitId) -> None:
    if not is_folder(folder):
        remove_tree(folder)
        folder.mkdir(parents=True)
    (folder / "index.lock").unlink(missing_ok=True)  # left by a git of ours that was killed
    put_file(folder / "HEAD", f"{commit}\n")
    put_file(folder / "commondir", f"{git.git_dir}\n")
