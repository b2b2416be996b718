"""Random access to the lines of a log of any size: an index and bounded reads."""

import os
from array import array
from itertools import accumulate
from pathlib import Path

from pex_tui.core.masking import mask_key_ends
from pex_tui.core.sanitize import LINE_LIMIT, clean_bytes

_CHUNK = 1 << 18
_HEAD_BYTES = 4 * (LINE_LIMIT + 1)
_ONE_READ_BYTES = 1 << 20
_REFRESH_BYTES = 16 << 20
_MOST_LINES = 1_000_000
_UNITS = ("bytes", "KB", "MB", "GB", "TB")


class LogReader:
    """The lines of one log; the file may be missing, binary, or growing.

    An index entry takes eight bytes, for at most a million lines: beyond that the oldest half is
    dropped. A hole in the file is one line that says so. No file stays open between calls.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._starts = array("Q", [0])
        self._gaps: set[int] = set()  # start offsets of lines that stand for a gap
        self._size = 0

    @property
    def line_count(self) -> int:
        """Return the number of lines so far, including an unterminated last one."""
        return len(self._starts) - (self._starts[-1] == self._size)

    def refresh(self) -> bool:
        """Index what was written since the last call; return whether there was anything.

        At most 16 MB are read per call, so that a huge log never blocks a screen: the rest follows
        in later calls.
        """
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            size = os.fstat(descriptor).st_size
            if size < self._size:  # rewritten from the start
                self._starts = array("Q", [0])
                self._gaps = set()
                self._size = 0
            return self._index(descriptor, min(size, self._size + _REFRESH_BYTES))
        finally:
            os.close(descriptor)

    def lines(self, start: int, stop: int) -> list[str]:
        """Return the existing lines among start…stop-1, sanitized."""
        start, stop = max(0, start), min(stop, self.line_count)
        if start >= stop:
            return []
        before = max(0, start - 1)  # it shows whether the first one ends a key
        return mask_key_ends(self._read(before, stop))[start - before :]

    def _read(self, start: int, stop: int) -> list[str]:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return [""] * (stop - start)
        try:
            begin, end = self._bounds(start)[0], self._bounds(stop - 1)[1]
            if end - begin > _ONE_READ_BYTES:
                return [self._line(descriptor, *self._bounds(line)) for line in range(start, stop)]
            block = os.pread(descriptor, end - begin, begin)
            bounds = [self._bounds(line) for line in range(start, stop)]
            return [
                _gap(high - low) if low in self._gaps else _shown(block[low - begin : high - begin])
                for low, high in bounds
            ]
        finally:
            os.close(descriptor)

    def _line(self, descriptor: int, begin: int, end: int) -> str:
        return _gap(end - begin) if begin in self._gaps else _long_line(descriptor, begin, end)

    def _bounds(self, line: int) -> tuple[int, int]:
        """Return the line's byte range, its newline included."""
        last = line + 1 >= len(self._starts)
        return self._starts[line], self._size if last else self._starts[line + 1]

    def _index(self, descriptor: int, end: int) -> bool:
        before = self._size
        while self._size < end:
            if self._skip_hole(descriptor):
                continue
            chunk = os.pread(descriptor, min(_CHUNK, end - self._size), self._size)
            if not chunk:
                break
            *whole, _ = chunk.split(b"\n")
            ends = accumulate((len(line) + 1 for line in whole), initial=self._size)
            next(ends)
            self._starts.extend(ends)
            self._size += len(chunk)
            if len(self._starts) > _MOST_LINES:
                self._starts = array("Q", [0]) + self._starts[len(self._starts) // 2 :]
                self._gaps.add(0)
        return self._size != before

    def _skip_hole(self, descriptor: int) -> bool:
        """Replace a hole by one line; return whether there was one."""
        try:
            data_at = os.lseek(descriptor, self._size, os.SEEK_DATA)
        except OSError:  # no further data, or a system without holes
            return False
        if data_at == self._size:
            return False
        if self._starts[-1] != self._size:
            self._starts.append(self._size)  # the line before the hole ends there
        self._gaps.add(self._size)
        self._starts.append(data_at)
        self._size = data_at
        return True


def _long_line(descriptor: int, begin: int, end: int) -> str:
    """Return one line of any length, reading no more of it than is shown."""
    size = end - begin
    head = os.pread(descriptor, min(size, _HEAD_BYTES), begin)
    if size <= _HEAD_BYTES:
        return _shown(head)
    if b"\r" in head:  # overwritten repeatedly: its end is what remained
        return _shown(os.pread(descriptor, _HEAD_BYTES, end - _HEAD_BYTES))
    return _marked(clean_bytes(head), size)


def _gap(size: int) -> str:
    return f"… [{_in_words(size)} of this log are left out]"


def _shown(raw: bytes) -> str:
    """Return the line as a terminal would leave it: what follows the last carriage return."""
    kept = raw.rstrip(b"\r\n").rpartition(b"\r")[2]
    return _marked(clean_bytes(kept), len(kept))


def _marked(text: str, size: int) -> str:
    """Return the text, with a mark at its end if it was cut."""
    if size <= _HEAD_BYTES:
        return text
    mark = f"… [line of {_in_words(size)}, cut]"
    return text[: LINE_LIMIT - len(mark)] + mark


def _in_words(size: int) -> str:
    """Format a number of bytes for a person."""
    amount = float(size)
    for unit in _UNITS[:-1]:
        if amount < 1000:  # noqa: PLR2004  # decimal units
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} {_UNITS[-1]}"
