"""A terminal driver that never blocks on the terminal and detects its loss.

Textual's own driver passes frames to a thread through a queue of thirty. If the terminal is gone,
that thread dies; if nobody reads the terminal, it blocks; in both cases the event loop, which is
also the engine's, then waits for the full queue.
"""

from __future__ import annotations

import os
import select
import signal
import termios
import time
from codecs import getincrementaldecoder
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from pex_tui.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STDERR = 2  # Textual's output
_MOST_BEHIND = 1 << 20  # characters
_BEHIND_SECONDS = 0.5
_LEAVING_SECONDS = 0.5
_READ_BYTES = 4096
_POLL_SECONDS = 0.1
_END_OF_SEQUENCE = "\x18\x1b\\"  # CAN and ST terminate any truncated sequence


class ScreenOutlet(Outlet):
    """Writes frames; drops those that a slow reader would see too late.

    `caught_up` is called, on the thread, when the reader has taken everything after a drop: only a
    new, complete frame then shows the current state. The terminal is reopened if possible, so that
    it becomes non-blocking for nobody else; a blocked write would not notice that a flush made
    room.
    """

    def __init__(
        self, descriptor: int, lost: Callable[[], None], caught_up: Callable[[], None]
    ) -> None:
        super().__init__(_opened_anew(descriptor), lost)
        self._tell_caught_up = caught_up
        self._kept: deque[tuple[str, bool]] = deque()  # with a flag: must not be dropped
        self._size = 0
        self._waits_since: float | None = None  # not yet taken by the reader
        self._has_dropped = False
        self._is_frame = False  # being written

    def write(self, text: str, *, insists: bool = False) -> None:
        """Queue the text; unless it `insists`, it is dropped while the reader is behind."""
        with self.changed:
            if self.is_lost or not (self._is_in_time() or insists):
                return
            self._kept.append((text, insists))
            self._size += len(text)
            self._wake()

    def drop_frames(self) -> None:
        """Drop the queue, except entries that insist."""
        with self.changed:
            self._is_cut = self._is_writing and self._is_frame
            kept = [entry for entry in self._kept if entry[1]]
            self._kept = deque([(_END_OF_SEQUENCE, True), *kept])

    def _is_in_time(self) -> bool:
        now = time.monotonic()
        if self._waits_since is None:
            self._waits_since = now
        elif now - self._waits_since > _BEHIND_SECONDS or self._size > _MOST_BEHIND:
            self._has_dropped = True
        return not self._has_dropped

    def _has_more(self) -> bool:
        return bool(self._kept)

    def _take(self) -> bytes:
        """Take one entry: a frame may be cut, an entry that insists may not."""
        text, insists = self._kept.popleft()
        self._size -= len(text)
        self._is_frame = not insists
        return text.encode("utf-8", "replace")

    def _release(self) -> None:
        os.close(self._descriptor)

    def _caught_up(self) -> None:
        self._waits_since = None
        if self._has_dropped:
            self._has_dropped = False
            self._tell_caught_up()


class InterruptibleApp(App[None]):
    """An app that its driver can end."""

    def interrupt(self) -> None:
        """End the app from outside; safe in signal handlers and on other threads."""
        raise NotImplementedError


class TerminalDriver(LinuxDriver):
    """Textual's driver with an outlet of its own; a lost terminal interrupts the app."""

    def __init__(
        self,
        app: InterruptibleApp,
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._host = app
        self._outlet: ScreenOutlet | None = None
        self._insists = False

    def write(self, data: str) -> None:
        """Pass the data to the outlet; without one, the terminal is not the app's."""
        if self._outlet is not None:
            self._outlet.write(data, insists=self._insists)

    def start_application_mode(self) -> None:
        """Take the terminal."""
        self._outlet = ScreenOutlet(_STDERR, self._lost, self._repaint)
        with self._insisting():
            super().start_application_mode()  # type: ignore[no-untyped-call]  # as Textual has it

    def stop_application_mode(self) -> None:
        """Restore the terminal, also from the background."""
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            with self._insisting():
                super().stop_application_mode()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def close(self) -> None:
        """Write the restoring sequences, at once even if the terminal is frozen.

        Output that a frozen terminal has not taken is flushed to make room for them, so that it is
        in order once it thaws.
        """
        super().close()
        outlet, self._outlet = self._outlet, None
        if outlet is None:
            return
        if not outlet.drain(_LEAVING_SECONDS):
            outlet.drop_frames()
            with suppress(termios.error):
                termios.tcflush(_STDERR, termios.TCOFLUSH)
            outlet.drain(_LEAVING_SECONDS)
        outlet.close()

    def run_input_thread(self) -> None:
        """Read keys until the app or the terminal ends."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], _POLL_SECONDS)[0]:
                try:
                    keys = os.read(self.fileno, _READ_BYTES)
                except BlockingIOError:  # another process on the terminal was faster
                    continue
                except OSError:
                    keys = b""
                if not keys:
                    self._lost()
                    return
                for event in parser.feed(decode(keys)):
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    @contextmanager
    def _insisting(self) -> Iterator[None]:
        """Within this context, no output may be dropped."""
        self._insists = True
        try:
            yield
        finally:
            self._insists = False

    def _lost(self) -> None:
        """Report the lost terminal; called on a thread."""
        self._host.interrupt()

    def _repaint(self) -> None:
        """Repaint the whole screen; called on a thread."""
        self._app.call_later(self._app.refresh, layout=True)


def _opened_anew(descriptor: int) -> int:
    """Return a non-blocking descriptor of the same terminal, else a copy of this one."""
    try:
        flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(os.ttyname(descriptor), flags)
    except OSError:
        return os.dup(descriptor)
