"""The disk space that an attempt takes up in its workspace beyond what it found there."""

import os
from contextlib import suppress

_SHARE = 16  # the workspace is measured again when so much of the limit may have been written
_BLOCK = 512


class DiskUse:
    """Measures a workspace only if the disk has so much less room that it may matter.

    The size that the workspace had is not measured at the start: it follows from the first
    measurement and the room lost until then, which may be others' doing. The use is overstated by
    at most a sixteenth of the limit for that.
    """

    def __init__(self, folder: str, limit_bytes: int) -> None:
        self._folder = folder
        self._step = limit_bytes // _SHARE
        self._free = _free_bytes(folder)
        self._before: int | None = None
        self.used_bytes = 0

    def look(self) -> None:
        """Bring `used_bytes` up to date."""
        free = _free_bytes(self._folder)
        lost = self._free - free
        if lost < self._step and self.used_bytes < self._step:
            return
        self._free = free
        size = folder_bytes(self._folder)
        if self._before is None:
            self._before = max(0, size - max(0, lost))
        self.used_bytes = max(0, size - self._before)


def folder_bytes(folder: str) -> int:
    """Return the bytes on disk of all files below a folder, links not followed."""
    total, folders = 0, [folder]
    for one in folders:
        with suppress(OSError), os.scandir(one) as entries:
            for entry in entries:
                with suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
    return total


def _free_bytes(folder: str) -> int:
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bfree * found.f_frsize
