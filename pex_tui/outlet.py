"""Non-blocking output to a terminal or a pipe with a slow, stopped or closed reader.

A write to a full pipe or a frozen terminal blocks in the kernel, so a thread does it. The thread is
a daemon and uses the bare descriptor: a lock of `sys.stderr` held at exit would abort the
interpreter.
"""

import os
import select
import tempfile
import threading
from collections import deque
from collections.abc import Callable

from msgspec import Struct

_PIECE_BYTES = 4096
_IN_MEMORY_BYTES = 1 << 20
_FULL_SECONDS = 0.1


class Outlet:
    """Writes to a descriptor, in order, on its own thread; `write` never blocks.

    `lost` is called once, on that thread, when the reader is gone. Subclasses buffer data in
    `_has_more` and `_take`, which are called with `changed` held.
    """

    def __init__(self, descriptor: int, lost: Callable[[], None] = lambda: None) -> None:
        self.is_lost = False
        self.changed = threading.Condition()
        self._descriptor = descriptor
        self._lost = lost
        self._is_writing = False
        self._is_cut = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)

    @property
    def is_drained(self) -> bool:
        """Return whether nothing is left to write."""
        return self.is_lost or not (self._is_writing or self._has_more())

    def drain(self, seconds: float | None = None) -> bool:
        """Wait until everything is written or the reader is gone; return False on timeout."""
        with self.changed:
            return self.changed.wait_for(lambda: self.is_drained, seconds)

    def close(self) -> None:
        """End the thread once it has written its data, without waiting for it."""
        with self.changed:
            self._is_closed = True
            self.changed.notify_all()

    def _has_more(self) -> bool:
        raise NotImplementedError

    def _take(self) -> bytes:
        """Take the next bytes of the buffer."""
        raise NotImplementedError

    def _caught_up(self) -> None:
        """Note that the reader has caught up; called with `changed` held."""

    def _wake(self) -> None:
        """Wake the thread for new data; called with `changed` held."""
        if self._thread.ident is None:
            self._thread.start()
        self.changed.notify_all()

    def _run(self) -> None:
        try:
            while (taken := self._next()) is not None:
                self._put(taken)
        except OSError:
            with self.changed:
                self.is_lost = True
                self.changed.notify_all()
            self._lost()
        self._release()

    def _release(self) -> None:
        """Release the thread's resources at its end."""

    def _next(self) -> bytes | None:
        """Wait for data, perhaps empty; return None once a closed outlet has no more."""
        with self.changed:
            self._is_writing = False
            if not self._has_more():
                self._caught_up()
            self.changed.notify_all()
            self.changed.wait_for(lambda: self._has_more() or self._is_closed)
            self._is_writing, self._is_cut = self._has_more(), False
            return self._take() if self._is_writing else None

    def _put(self, taken: bytes) -> None:
        """Write in small pieces, so that a cut takes effect where the terminal is frozen."""
        written = 0
        while written < len(taken) and not self._is_cut:
            try:
                written += os.write(self._descriptor, taken[written : written + _PIECE_BYTES])
            except BlockingIOError:  # full: others with the pipe can make it non-blocking
                select.select([], [self._descriptor], [], _FULL_SECONDS)


class _Spilled(Struct):
    """Bytes in the spill file."""

    at: int
    size: int


class LineOutlet(Outlet):
    """Keeps every line for a slow reader: in memory, beyond 1 MB in an unlinked file."""

    def __init__(
        self, descriptor: int, lost: Callable[[], None] = lambda: None, *, encoding: str = "utf-8"
    ) -> None:
        super().__init__(descriptor, lost)
        self._encoding = encoding
        self._kept: deque[bytes | _Spilled] = deque()
        self._in_memory = 0
        self._spill: int | None = None
        self._spill_end = 0

    def write(self, line: str) -> None:
        """Queue a line; a reader that is gone gets no more."""
        data = (line + "\n").encode(self._encoding, "replace")
        with self.changed:
            if self.is_lost:
                return
            if self._in_memory + len(data) <= _IN_MEMORY_BYTES or not self._spill_out(data):
                self._kept.append(data)
                self._in_memory += len(data)
            self._wake()

    def _spill_out(self, data: bytes) -> bool:
        """Return whether the bytes fit the spill file."""
        try:
            if self._spill is None:
                self._spill, name = tempfile.mkstemp(prefix="pex-tui-")
                os.unlink(name)  # noqa: PTH108  # the open descriptor remains
            if os.pwrite(self._spill, data, self._spill_end) < len(data):
                return False
        except OSError:
            return False
        last = self._kept[-1] if self._kept else None
        if isinstance(last, _Spilled) and last.size < _IN_MEMORY_BYTES:
            last.size += len(data)
        else:
            self._kept.append(_Spilled(self._spill_end, len(data)))
        self._spill_end += len(data)
        return True

    def _has_more(self) -> bool:
        return bool(self._kept)

    def _take(self) -> bytes:
        taken = self._kept.popleft()
        if isinstance(taken, bytes):
            self._in_memory -= len(taken)
            return taken
        return b"" if self._spill is None else os.pread(self._spill, taken.size, taken.at)


def say(text: str, descriptor: int = 2, seconds: float = 1.0) -> None:
    """Print lines at the end of a program; a reader that takes too long misses them."""
    outlet = LineOutlet(descriptor)
    outlet.write(text)
    outlet.close()
    outlet.drain(seconds)
