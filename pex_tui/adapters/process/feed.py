"""The stdin of a program with a protocol: logged, then written, without blocking the shim."""

import os
import selectors
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.process.messages import MOST_INPUT_BYTES


class Feed:
    """A pipe to the program and the log of everything accepted for it.

    Logged bytes are delivered exactly once while the program lives: the log is written before the
    pipe, and the shim that holds the rest outlives every engine.
    """

    def __init__(self, selector: selectors.BaseSelector, log: Path) -> None:
        self.read_end, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._selector = selector
        self._pending = bytearray()
        self._is_watched = False
        self._is_ending = False
        self._is_closed = False

    def accept(self, text: bytes) -> bool:
        """Log the bytes and deliver them.

        Return False, with nothing done, if that is not possible.
        """
        if self._is_ending or self._is_closed or len(self._pending) > MOST_INPUT_BYTES:
            return False
        end = os.fstat(self._log).st_size
        try:
            written = os.write(self._log, text)
        except OSError:
            return False
        if written < len(text):  # the disk is full
            os.ftruncate(self._log, end)
            return False
        self._pending += text
        self._flush()
        return True

    def end(self) -> bool:
        """Close the program's stdin once it has read everything.

        Return False if it is closed already.
        """
        if self._is_closed:
            return False
        self._is_ending = True
        self._flush()
        return True

    def _flush(self) -> None:
        try:
            while self._pending:
                del self._pending[: os.write(self._pipe, self._pending[: 1 << 16])]
        except BlockingIOError:
            self._watch(wanted=True)
            return
        except OSError:  # the program closed its stdin or is gone
            self._close()
            return
        self._watch(wanted=False)
        if self._is_ending:
            self._close()

    def _watch(self, *, wanted: bool) -> None:
        if wanted and not self._is_watched:
            self._selector.register(self._pipe, selectors.EVENT_WRITE, self._flush)
        elif not wanted and self._is_watched:
            self._selector.unregister(self._pipe)
        self._is_watched = wanted

    def _close(self) -> None:
        if self._is_closed:
            return
        self._watch(wanted=False)
        self._is_closed = True
        self._pending.clear()
        with suppress(OSError):
            os.close(self._pipe)
