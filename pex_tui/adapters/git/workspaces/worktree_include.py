"""Copy the untracked files that `.worktreeinclude` names from the user's checkout.

A folder that is named as a whole is copied by `cp`, which shares blocks if the file system supports
it. It stays for the next attempt unless the user or an agent has touched it.
"""

import asyncio
import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from pex_tui.adapters.git.plumbing.filesystem import exists, is_folder
from pex_tui.adapters.git.plumbing.git_runner import Git

_CP = ("cp", "-a", "--reflink=auto", "--")
_TIMEOUT_SECONDS = 600.0


class Included(Struct, frozen=True):
    """The files copied into a workspace: `paths`, folders ending in a slash.

    `source` is the state of the user's folders at that time, `copy` that of the copies.
    """

    paths: tuple[str, ...] = ()
    source: str = ""
    copy: str = ""

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that were copied as a whole."""
        return _folders(self.paths)


class IncludedFiles(Struct):
    """The untracked files of the user's checkout that match the patterns of `file_name`.

    They are listed once: searching a checkout with its caches takes longer than a reset.
    """

    checkout: Git
    top_level: Path
    file_name: str
    _listing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _paths: tuple[str, ...] | None = None

    async def unchanged_in(self, workspace: Path, before: Included) -> tuple[str, ...]:
        """Return the copied folders that still equal the user's; raise GitError."""
        paths = await self._list()
        if not before.folders or any(folder not in paths for folder in before.folders):
            return ()
        return await asyncio.to_thread(self._unchanged, workspace, before)

    async def copy_into(self, workspace: Path, spared: tuple[str, ...]) -> Included:
        """Copy the files, without the `spared` folders; return what is there now.

        Never replaces a file. Raises GitError or OSError.
        """
        paths = await self._list()
        if not paths:
            return Included()
        return await asyncio.to_thread(self._copy, paths, workspace, spared)

    async def _list(self) -> tuple[str, ...]:
        async with self._listing:
            if self._paths is None:
                self._paths = await self._ask()
            return self._paths

    async def _ask(self) -> tuple[str, ...]:
        patterns = self.top_level / self.file_name
        if not patterns.is_file():
            return ()
        answer = await self.checkout.run(
            *("ls-files", "-z", "--others", "--ignored", "--directory"),
            f"--exclude-from={patterns}",
        )
        found = [path for path in os.fsdecode(answer.stdout).split("\0") if path]
        folders = {path for path in found if path.endswith("/")}
        return tuple(path for path in found if not _is_below(path, folders))

    def _unchanged(self, workspace: Path, before: Included) -> tuple[str, ...]:
        folders = before.folders
        is_same = (
            all(is_folder(workspace / folder) for folder in folders)
            and _state_of(self.top_level, folders) == before.source
            and _state_of(workspace, folders) == before.copy
        )
        return folders if is_same else ()

    def _copy(self, paths: tuple[str, ...], workspace: Path, spared: tuple[str, ...]) -> Included:
        root = workspace.resolve()
        before = _state_of(self.top_level, _folders(paths))
        copied = tuple(
            path for path in paths if path in spared or self._copy_one(path, workspace / path, root)
        )
        folders = _folders(copied)
        source = before if folders == _folders(paths) else _state_of(self.top_level, folders)
        return Included(copied, source, _state_of(workspace, folders))

    def _copy_one(self, path: str, target: Path, root: Path) -> bool:
        source = self.top_level / path
        if not target.parent.resolve().is_relative_to(root):
            return False  # a folder of the commit is a link out of the workspace
        if path.endswith("/"):
            return self._copy_folder(source, target, root)
        return self._copy_file(source, target)

    def _copy_folder(self, source: Path, target: Path, root: Path) -> bool:
        """Copy a folder, or the part of it that is not there yet."""
        if not is_folder(source):
            return False
        if not exists(target) and _was_copied_by_cp(source, target):
            self._remove_links_that_leave(source, target)
            return True
        copied = [
            self._copy_file(Path(parent, name), target / Path(parent, name).relative_to(source))
            for parent, _, names in os.walk(source)
            if (target / Path(parent).relative_to(source)).resolve().is_relative_to(root)
            for name in names
        ]
        return any(copied)

    def _copy_file(self, source: Path, target: Path) -> bool:
        if exists(target) or not _is_copyable(source, self.top_level):
            return False
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
        except (FileNotFoundError, FileExistsError, NotADirectoryError):
            return False  # the user has removed it since, or the commit has a file in its way
        return True

    def _remove_links_that_leave(self, source: Path, target: Path) -> None:
        for path, seen in _entries(target):
            if stat.S_ISLNK(seen.st_mode):
                name = Path(path).relative_to(target)
                if not _is_copyable(source / name, self.top_level):
                    Path(path).unlink()


def _was_copied_by_cp(source: Path, target: Path) -> bool:
    """Return whether `cp` knew our options and copied everything."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            [*_CP, source, target],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _folders(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(path for path in paths if path.endswith("/"))


def _state_of(root: Path, folders: tuple[str, ...]) -> str:
    """Return the state of folders, which changes when anything in them is written or removed.

    The kernel sets an inode's change time, and no program can set it back.
    """
    state = hashlib.sha256()
    for folder in folders:
        for path, seen in sorted(_entries(root / folder), key=lambda entry: entry[0]):
            told = (path, seen.st_ctime_ns, seen.st_size, seen.st_mode, seen.st_ino)
            state.update(repr(told).encode("utf-8", "surrogateescape"))
    return state.hexdigest() if folders else ""


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield everything in the folder, and the folder itself; follow no link."""
    stack = [os.fspath(folder)]
    try:
        yield stack[0], os.lstat(folder)
    except OSError:
        return
    while stack:
        try:
            with os.scandir(stack.pop()) as found:
                for entry in found:
                    yield entry.path, entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
        except OSError:
            continue  # removed meanwhile, or not readable


def _is_below(path: str, folders: set[str]) -> bool:
    """Return whether the path is inside one of the folders."""
    end = path.find("/")
    while end != -1 and end + 1 < len(path):
        if path[: end + 1] in folders:
            return True
        end = path.find("/", end + 1)
    return False


def _is_copyable(source: Path, top_level: Path) -> bool:
    """Return whether it is a file, or a relative link that stays inside the repository."""
    if not source.is_symlink():
        return source.is_file()
    target = source.readlink()
    inside = (source.parent / target).resolve().is_relative_to(top_level)
    return inside and not target.is_absolute()
