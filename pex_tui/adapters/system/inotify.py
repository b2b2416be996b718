"""The kernel's inotify, as far as watching folders needs it; links are never followed."""

import ctypes
import errno
import os
import struct
from typing import NamedTuple

_EVENT = struct.Struct("iIII")
_READ_BYTES = 1 << 18

MODIFY = 0x00000002
ATTRIB = 0x00000004
CLOSE_WRITE = 0x00000008
MOVED_FROM = 0x00000040
MOVED_TO = 0x00000080
CREATE = 0x00000100
DELETE = 0x00000200
OVERFLOW = 0x00004000
IGNORED = 0x00008000
IS_DIR = 0x40000000
_ONLY_DIR = 0x01000000
_DONT_FOLLOW = 0x02000000
_EXCL_UNLINK = 0x04000000
_MASK = (
    *(MODIFY, ATTRIB, CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE),
    *(_ONLY_DIR, _DONT_FOLLOW, _EXCL_UNLINK),
)


class Happening(NamedTuple):
    """An event for `name` in the folder that is watched as `watch`."""

    watch: int
    mask: int
    name: str


class Inotify:
    """One inotify queue; raises OSError if there is none (left)."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self._descriptor = self._checked(
            self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), None
        )

    def fileno(self) -> int:
        """Return a descriptor that is readable while events are pending."""
        return self._descriptor

    def add(self, folder: str) -> int:
        """Watch a folder; return the same number for the same folder. Raise OSError."""
        made = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), sum(_MASK))
        return self._checked(made, folder)

    def remove(self, watch: int) -> None:
        """Stop watching; do nothing if it is not watched."""
        self._libc.inotify_rm_watch(self._descriptor, watch)

    def read(self) -> list[Happening]:
        """Return the events since the last call."""
        try:
            raw = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return []
        found = []
        at = 0
        while at < len(raw):
            watch, mask, _, size = _EVENT.unpack_from(raw, at)
            at += _EVENT.size
            found.append(Happening(watch, mask, os.fsdecode(raw[at : at + size].rstrip(b"\0"))))
            at += size
        return found

    def close(self) -> None:
        """Close the queue."""
        os.close(self._descriptor)

    @staticmethod
    def _checked(answer: int, folder: str | None) -> int:
        if answer < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), folder)
        return answer
