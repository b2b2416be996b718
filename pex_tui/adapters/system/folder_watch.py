"""Watch folders for changes, in a thread of its own so that no disk can block the loop.

No link is followed. Where the system cannot watch, the folders count as changed every few seconds,
and that is reported once.
"""

import asyncio
import errno
import os
import re
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.system.inotify import (
    CREATE,
    IGNORED,
    IS_DIR,
    MOVED_FROM,
    MOVED_TO,
    OVERFLOW,
    Happening,
    Inotify,
)
from pex_tui.engine.contained import attempted

POLL_SECONDS = 3.0
MOST_FOLDERS = 50_000  # of one workspace
_GATHER_SECONDS = 0.1  # changes close together are reported together
# Files that tools write for themselves, and git's own.
_LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "node_modules", ".tox", ".venv", ".idea"}
    | {".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"}
)
_NO_SOURCE = re.compile(r".*\.py[cod]|.*___jb_...___|.*\.sw.|.*~|\.#.*|\.DS_Store|flycheck_.*")
_REASONS = {
    errno.ENOSPC: "no file watch is left (fs.inotify.max_user_watches)",
    errno.ENOMEM: "the kernel has no memory left for file watches",
    errno.EMFILE: "no inotify queue is left (fs.inotify.max_user_instances)",
    errno.ENFILE: "the system has no open file left",
}


class FolderWatch:
    """Reports changes until it is closed; used on the loop that created it."""

    def __init__(self, warn: Callable[[str], None], make: Callable[[], Inotify] = Inotify) -> None:
        self._warn = warn
        self._has_warned = False
        self._loop = asyncio.get_running_loop()
        self._stirred = asyncio.Event()
        self._changed: set[Path] = set()
        self._wanted: frozenset[Path] = frozenset()
        self._polled: set[Path] = set()
        self._is_blind = False
        self._poll_at = 0.0
        self._failure: Exception | None = None
        self._watcher = _Watcher(make, self._hand_over)
        try:
            threading.Thread(target=self._watcher.run, name="folder watch", daemon=True).start()
        except RuntimeError:  # no thread available
            self._watcher.end()
            self._blinded("no thread can be started")

    def follow(self, folders: frozenset[Path]) -> None:
        """Watch these folders from now on; a new one counts as changed once it is watched."""
        self._wanted = folders
        self._polled &= folders
        if self._is_blind:
            self._polled |= folders
        self._watcher.follow(folders)

    async def changes(self) -> frozenset[Path]:
        """Wait for a change; return the folders with changes since the last call."""
        while True:
            self._stirred.clear()
            if self._failure is not None:
                raise self._failure
            if self._polled and self._loop.time() >= self._poll_at:
                self._poll_at = self._loop.time() + POLL_SECONDS
                self._changed |= self._polled
            changed, self._changed = self._changed & self._wanted, set()
            if changed:
                return frozenset(changed)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._poll_at if self._polled else None):
                    await self._stirred.wait()

    def close(self) -> None:
        """Stop watching; the thread ends by itself."""
        self._watcher.close()

    def _hand_over(self, told: frozenset[Path] | tuple[Path | None, str] | Exception) -> None:
        """Receive reports from the thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._hear, told)

    def _hear(self, told: frozenset[Path] | tuple[Path | None, str] | Exception) -> None:
        if isinstance(told, frozenset):
            self._changed |= told
        elif isinstance(told, Exception):
            self._failure = told
        else:
            folder, why = told
            if folder is None:
                self._blinded(why)
            else:
                self._polled.add(folder)
                self._say(why)
        self._stirred.set()

    def _blinded(self, why: str) -> None:
        self._is_blind = True
        self._polled |= self._wanted
        self._say(why)

    def _say(self, why: str) -> None:
        if why and not self._has_warned:
            self._has_warned = True
            self._warn(why)


class _Watcher:
    """The thread's side: the watched folders, and their changes."""

    def __init__(
        self,
        make: Callable[[], Inotify],
        tell: Callable[[frozenset[Path] | tuple[Path | None, str] | Exception], None],
    ) -> None:
        self._make = make
        self._tell = tell
        self._wanted: frozenset[Path] = frozenset()
        self._closing = threading.Event()
        self._pipe_lock = threading.Lock()
        self._has_ended = False
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._roots: dict[Path, set[int]] = {}
        self._known: dict[int, tuple[Path, str]] = {}

    def follow(self, folders: frozenset[Path]) -> None:
        """Watch these folders; called by the loop."""
        self._wanted = folders
        self._nudge()

    def close(self) -> None:
        """Have the thread end; called by the loop."""
        self._closing.set()
        self._nudge()

    def run(self) -> None:
        """Watch until closed."""
        try:
            attempted(
                self._watch_if_possible, self._tell
            )  # its errors go to the caller that waits for changes
        finally:
            self.end()

    def end(self) -> None:
        """Detach from the loop: `follow` and `close` have no effect any more."""
        with self._pipe_lock:
            self._has_ended = True
            os.close(self._wake)
            os.close(self._waker)

    def _nudge(self) -> None:
        with self._pipe_lock, suppress(BlockingIOError):
            if not self._has_ended:
                os.write(self._waker, b"!")

    def _watch_if_possible(self) -> None:
        try:
            self._watch()
        except OSError as error:
            # Other systems have no inotify, which is no news there.
            missing = error.errno == errno.ENOSYS or not sys.platform.startswith("linux")
            self._tell((None, "" if missing else _reason(error)))

    def _watch(self) -> None:
        queue = self._make()
        try:
            poll = select.poll()
            poll.register(queue.fileno(), select.POLLIN)
            poll.register(self._wake, select.POLLIN)
            while not self._closing.is_set():
                self._align(queue)
                ready = {descriptor for descriptor, _ in poll.poll()}
                if self._wake in ready:
                    os.read(self._wake, 4096)
                if queue.fileno() in ready:
                    self._closing.wait(_GATHER_SECONDS)
                    self._hear(queue, queue.read())
        finally:
            queue.close()

    def _align(self, queue: Inotify) -> None:
        """Watch exactly the wanted folders."""
        wanted = self._wanted
        for root in [root for root in self._roots if root not in wanted]:
            self._drop(queue, root, self._roots.pop(root))
        for root in wanted - self._roots.keys():
            self._roots[root] = set()
            self._walk(queue, root, os.fspath(root))
            self._tell(frozenset({root}))

    def _hear(self, queue: Inotify, happenings: list[Happening]) -> None:
        changed: set[Path] = set()
        for watch, mask, name in happenings:
            if mask & OVERFLOW:  # the kernel's queue overflowed
                changed |= self._roots.keys()
                for root in self._roots:
                    self._walk(queue, root, os.fspath(root))
            known = self._known.get(watch)
            if known is None:
                continue
            root, folder = known
            if mask & IGNORED:  # it is gone
                del self._known[watch]
                self._roots[root].discard(watch)
            elif name not in _LEFT_OUT and not _NO_SOURCE.fullmatch(name):
                changed.add(root)
                if mask & IS_DIR and mask & MOVED_FROM:
                    self._leave(queue, root, f"{folder}/{name}")
                elif mask & IS_DIR and mask & (CREATE | MOVED_TO):
                    self._walk(queue, root, f"{folder}/{name}")
        if changed:
            self._tell(frozenset(changed))

    def _walk(self, queue: Inotify, root: Path, top: str) -> None:
        """Watch a folder and all below it."""
        watches = self._roots[root]
        stack = [top]
        while stack and not self._closing.is_set():
            folder = stack.pop()
            if len(watches) >= MOST_FOLDERS:
                self._give_up(queue, root, f"a workspace has more than {MOST_FOLDERS:,} folders")
                return
            try:
                watch = queue.add(folder)
            except OSError as error:
                if error.errno in _REASONS:
                    self._give_up(queue, root, _reason(error))
                    return
                continue  # a link by now, gone, or not readable
            watches.add(watch)
            self._known[watch] = (root, folder)
            stack += [f"{folder}/{name}" for name in _folders_in(folder)]

    def _leave(self, queue: Inotify, root: Path, top: str) -> None:
        """Stop watching a folder that was moved away, perhaps out of the workspace."""
        below = f"{top}/"
        gone = {
            watch
            for watch in self._roots[root]
            if (path := self._known[watch][1]) == top or path.startswith(below)
        }
        self._roots[root] -= gone
        self._drop(queue, root, gone)

    def _give_up(self, queue: Inotify, root: Path, why: str) -> None:
        watches = self._roots[root]
        self._roots[root] = set()
        self._drop(queue, root, watches)
        self._tell((root, why))

    def _drop(self, queue: Inotify, root: Path, watches: set[int]) -> None:
        for watch in watches:
            if self._known.get(watch, (None,))[0] == root:
                del self._known[watch]
                queue.remove(watch)


def _folders_in(folder: str) -> list[str]:
    """Return the real folders in a folder that is no link itself."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        with os.scandir(descriptor) as entries:
            return [
                entry.name
                for entry in entries
                if entry.name not in _LEFT_OUT and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0, error.strerror or "the system can't watch folders")
