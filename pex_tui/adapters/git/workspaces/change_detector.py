"""Tells what changed in a checkout's tracked files, and asks git only when one was touched.

A file that was not touched since git called it unchanged is unchanged: the change time of its inode
is the kernel's, and no program can set it back. Folders on the way count as well, as one may have
been moved away and a link put in its place.
"""

import os
import stat
import time

from msgspec import Struct

from pex_tui.adapters.git.capture.snapshot import is_foreign
from pex_tui.adapters.git.capture.unlanded_files import others
from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE
from pex_tui.adapters.git.plumbing.shadow_index import Shadow

# Some 5 ms on a slow machine, right in the loop: a thread of ours would wait for the interpreter's
# lock after each file, and starting git takes longer than that. With more files git is faster.
MOST_FILES = 2000
# The kernel's clock for files ticks every 1 to 10 ms: within a tick, two changes look like one.
TICK_NS = 100_000_000
_SUBMODULE = "160000"

Trace = tuple[int, ...]


class Paths(Struct, frozen=True):
    """What to look at: absolute paths of tracked files, and of the folders that hold them."""

    files: tuple[str, ...]
    folders: tuple[str, ...]


class Touches:
    """What is known of one checkout's files since git last called them unchanged."""

    def __init__(self) -> None:
        self._paths: Paths | None = None
        self._unchanged: list[Trace] | None = None
        self._clean_since: list[int] | None = None
        self._is_first = True

    async def changes(self, shadow: Shadow) -> tuple[str, ...]:
        """Tracked paths that are not as the start commit has them; raise GitError."""
        if self._is_first:  # many a checkout is looked at once only
            self._is_first = False
            return await shadow.tracked_changes()
        if self._paths is None:
            self._paths = await _paths(shadow)
        looked_at = time.time_ns()
        traces = _look(self._paths)
        if traces is not None and traces == self._unchanged:
            return ()
        # Git looks after us: what is touched between the two looks is touched for the next one.
        found = await shadow.tracked_changes()
        is_sure = traces is not None and not found and _are_settled(traces, looked_at)
        self._unchanged = traces if is_sure else None
        return found

    async def leftovers(self, shadow: Shadow, before: frozenset[str]) -> tuple[str, ...]:
        """New files, ignored or not, that are no tool's cache; raise GitError.

        `before` are untracked paths, and folders ending in a slash, that lay there when the reader
        came.
        """
        if self._paths is None:
            self._paths = await _paths(shadow)
        looked_at = time.time_ns()
        times = _folder_times(self._paths)
        if times is not None and times == self._clean_since:
            return ()
        new = await others(shadow, "--no-empty-directory")
        found = tuple(name for name in new if not is_foreign(name, before))
        is_sure = times is not None and not found and max(times) < looked_at - TICK_NS
        self._clean_since = times if is_sure else None
        return found


async def _paths(shadow: Shadow) -> Paths:
    """Nothing to look at where looking would not do: many files, or submodules."""
    listing = await shadow.git.run(*WHOLE_TREE, "ls-files", "-s", "-z")
    entries = [entry.partition("\t") for entry in os.fsdecode(listing.stdout).split("\0") if entry]
    if len(entries) > MOST_FILES or any(head.startswith(_SUBMODULE) for head, _, _ in entries):
        return Paths((), ())
    root = os.fspath(shadow.root)
    folders = {""}
    for _, _, name in entries:
        parent = os.path.dirname(name)  # noqa: PTH120  # thousands of them
        while parent not in folders:
            folders.add(parent)
            parent = os.path.dirname(parent)  # noqa: PTH120
    return Paths(
        tuple(f"{root}/{name}" for _, _, name in entries),
        tuple(f"{root}/{name}" for name in sorted(folders)),
    )


def _look(paths: Paths) -> list[Trace] | None:
    """The traces of all paths; None when there are none or one can't be seen."""
    if not paths.folders:
        return None
    try:
        return [_file_trace(path) for path in paths.files] + [
            _folder_trace(path) for path in paths.folders
        ]
    except OSError:
        return None


def _folder_times(paths: Paths) -> list[int] | None:
    """When something last came into each folder, or went; None when that can't be seen."""
    try:
        return [os.lstat(path).st_mtime_ns for path in paths.folders] or None
    except OSError:
        return None


def _file_trace(path: str) -> Trace:
    found = os.lstat(path)
    return (
        found.st_ctime_ns,
        found.st_mtime_ns,
        found.st_size,
        found.st_mode,
        found.st_ino,
        found.st_dev,
    )


def _folder_trace(path: str) -> Trace:
    """Caches come and go in a folder; it is still the same one."""
    found = os.lstat(path)
    return (0, stat.S_IFMT(found.st_mode), found.st_ino, found.st_dev)


def _are_settled(traces: list[Trace], looked_at: int) -> bool:
    """Whether all changes are so old that another one can't bear the same time."""
    return max(trace[0] for trace in traces) < looked_at - TICK_NS
