"""Reader of complete lines of a growing log."""

import os
from pathlib import Path

_CHUNK = 1 << 18
_LONGEST_LINE = 16 << 20


class GrowingLog:
    """The complete lines of a file that is still being written; it need not exist yet.

    A line of more than 16 MiB is not a message and is skipped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = bytearray()
        self._skipping = False

    def read(self) -> tuple[list[bytes], bool]:
        """Return the next lines, from at most 256 KiB, and whether there may be more right now."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return [], False
        try:
            chunk = os.pread(descriptor, _CHUNK, self._offset)
        finally:
            os.close(descriptor)
        self._offset += len(chunk)
        *whole, rest = chunk.split(b"\n")
        if not whole:
            self._rest += rest
            if len(self._rest) > _LONGEST_LINE:
                self._rest.clear()
                self._skipping = True
            return [], len(chunk) == _CHUNK
        first = bytes(self._rest) + whole[0]
        lines = whole[1:] if self._skipping else [first, *whole[1:]]
        self._rest = bytearray(rest)
        self._skipping = False
        return [line for line in lines if line.strip()], len(chunk) == _CHUNK

    def last(self) -> bytes:
        """Return the text after the last newline, once nothing more is written."""
        rest = bytes(self._rest)
        self._rest.clear()
        return b"" if self._skipping else rest
