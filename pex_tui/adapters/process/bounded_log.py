"""Limit the size of a log that a program writes itself, keeping the offsets of what remains.

The middle of the log is returned to the disk (as a hole in the file), so offsets stay valid and the
program is never slowed down.
"""

import ctypes
import os
from pathlib import Path

_KEEP_SIZE_AND_PUNCH = 0x01 | 0x02  # linux/falloc.h
_BLOCK = 4096
_CALM_SECONDS = 1.0
_BUSY_SECONDS = 0.05


class BoundedLog:
    """Keeps a quarter of the limit from the beginning and half of it from the end."""

    def __init__(self, path: Path, limit_bytes: int, *, may_cut: bool) -> None:
        self._path = path
        self._limit = limit_bytes
        self._may_cut = may_cut  # without holes; a reader then loses its place
        self._head = _rounded(limit_bytes // 4)
        self._freed_to = self._head
        self._seen = 0

    def look(self) -> float:
        """Free what exceeds the limit; return the seconds until the next look."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return _CALM_SECONDS  # it was removed, but its writer still has it open
        try:
            size = os.fstat(descriptor).st_size
            if size - self._freed_to + self._head > self._limit:
                self._free(descriptor, _rounded(size - self._limit // 2))
        finally:
            os.close(descriptor)
        grown, self._seen = size - self._seen, size
        return _BUSY_SECONDS if grown > self._limit // 16 else _CALM_SECONDS

    def _free(self, descriptor: int, end: int) -> None:
        if _punch(descriptor, self._freed_to, end - self._freed_to):
            self._freed_to = end
        elif self._may_cut:
            os.ftruncate(descriptor, self._head)


def _rounded(offset: int) -> int:
    return offset - offset % _BLOCK


def _punch(descriptor: int, offset: int, length: int) -> bool:
    """Make a hole in a file; return False if that is not possible."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "fallocate"):
        return False
    arguments = (ctypes.c_int64(offset), ctypes.c_int64(length))
    return bool(libc.fallocate(descriptor, _KEEP_SIZE_AND_PUNCH, *arguments) == 0)
