"""Detect changes of a checkout's tracked files, running git only if a file was touched.

A file not touched since git reported it unchanged is unchanged: the kernel sets an inode's change
time, and no program can set it back. Parent folders count as well, because one may be replaced by a
link.
"""

import os
import stat
import time

from msgspec import Struct

from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE
from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex

# Takes about 5 ms on a slow machine, on the loop: a thread would wait for the interpreter's lock
# after each file, and starting git takes longer. With more files git is faster.
MOST_FILES = 2000
# The kernel's file clock ticks every 1 to 10 ms: within a tick, two changes look like one.
TICK_NS = 100_000_000
_SUBMODULE = "160000"

Trace = tuple[int, ...]


class Paths(Struct, frozen=True):
    """The paths to check: absolute paths of tracked files, and of the folders that contain them."""

    files: tuple[str, ...]
    folders: tuple[str, ...]


class ChangeDetector:
    """The state of one checkout's files when git last reported them unchanged."""

    def __init__(self) -> None:
        self._paths: Paths | None = None
        self._unchanged: list[Trace] | None = None
        self._is_first = True

    async def changes(self, shadow: ShadowIndex) -> tuple[str, ...]:
        """Return the tracked paths that differ from the start commit; raise GitError."""
        if self._is_first:  # many checkouts are checked only once
            self._is_first = False
            return await shadow.tracked_changes()
        if self._paths is None:
            self._paths = await _paths(shadow)
        looked_at = time.time_ns()
        traces = _look(self._paths)
        if traces is not None and traces == self._unchanged:
            return ()
        # Git looks second: a file touched between the two looks counts as touched next time.
        found = await shadow.tracked_changes()
        is_sure = traces is not None and not found and _are_stable(traces, looked_at)
        self._unchanged = traces if is_sure else None
        return found


async def _paths(shadow: ShadowIndex) -> Paths:
    """Return the paths to check; none if stat is not enough: many files, or submodules."""
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
    """Return the traces of all paths; None without paths, or if one is unreadable."""
    if not paths.folders:
        return None
    try:
        return [_file_trace(path) for path in paths.files] + [
            _folder_trace(path) for path in paths.folders
        ]
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
    """Return a trace that ignores a folder's content, because caches come and go in it."""
    found = os.lstat(path)
    return (0, stat.S_IFMT(found.st_mode), found.st_ino, found.st_dev)


def _are_stable(traces: list[Trace], looked_at: int) -> bool:
    """Return whether all changes are too old for another one to have the same time."""
    return max(trace[0] for trace in traces) < looked_at - TICK_NS
