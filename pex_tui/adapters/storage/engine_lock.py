"""The engine lock: one engine per repository; it is released when its holder dies.

Uses flock itself: filelock would save fifteen lines here, but cannot make the lock that children
inherit (`file_lock`) nor a shared one, so there would be two kinds of lock.
"""

import asyncio
import fcntl
import json
import os
import socket
import time
from pathlib import Path

from msgspec import Struct, to_builtins

from pex_tui.core.model.ids import RunId

_POLL_SECONDS = 0.2
_TRIES = 4  # a process that only looks (`current_holder`) holds the lock for an instant
_GLANCE_SECONDS = 0.02


class Holder(Struct, frozen=True):
    """The engine that drives a run; `control` is its socket, `is_background` means no terminal."""

    pid: int
    run: RunId
    host: str
    since: float
    control: str = ""
    is_background: bool = False


class EngineBusyError(Exception):
    """Another engine holds the repository; `holder` is None until it has described itself."""

    def __init__(self, holder: Holder | None) -> None:
        self.holder = holder
        who = "another process" if holder is None else f"run {holder.run}, process {holder.pid}"
        super().__init__(f"another engine drives this repository: {who}")


class EngineLock:
    """Held from `acquire` to `release`, or to the death of this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; raise EngineBusyError if it is held."""
        for _ in range(_TRIES):
            if self._try():
                return
            time.sleep(_GLANCE_SECONDS)
        raise EngineBusyError(read_holder(self._path))

    async def wait(self) -> None:
        """Take the lock as soon as it is free."""
        while not self._try():  # noqa: ASYNC110  # its holder is another process
            await asyncio.sleep(_POLL_SECONDS)

    def _try(self) -> bool:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        if not _is_file(descriptor, self._path):
            os.close(descriptor)  # its last holder removed the file
            return False
        self._descriptor = descriptor
        return True

    def describe(self, run: RunId, *, control: Path | None, is_background: bool) -> None:
        """Record for others who holds the lock."""
        if self._descriptor is None:
            return
        holder = Holder(
            os.getpid(),
            run,
            socket.gethostname(),
            time.time(),
            "" if control is None else os.fspath(control),
            is_background,
        )
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(to_builtins(holder)).encode(), 0)

    def release(self, *, removes: bool = False) -> None:
        """Release the lock; `removes` deletes the file as well, which `acquire` notices."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            if removes:
                self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def _is_file(descriptor: int, path: Path) -> bool:
    """Return whether the descriptor is that of the current file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def current_holder(path: Path) -> Holder | None:
    """Return the engine that drives the repository now; None if there is none."""
    lock = EngineLock(path)
    if not path.exists():
        return None
    try:
        lock.acquire()
    except EngineBusyError as busy:
        return busy.holder
    lock.release()
    return None


def read_holder(path: Path) -> Holder | None:
    """Return the holder recorded in the lock's file."""
    try:
        written = json.loads(path.read_bytes())
        return Holder(**written)
    except (OSError, ValueError, TypeError):
        return None
