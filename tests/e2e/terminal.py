"""A real pseudo-terminal with an emulator: what a person sees, and their keys."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

from tests.pex_process import PexProcess
from tests.waiting import PATIENCE_SECONDS


class Terminal:
    """A program, usually pex-tui, in a terminal of its own; `raw` is all output.

    One that `controls` sends SIGHUP when it is hung up, as a person's does.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        cwd: Path,
        env: Mapping[str, str],
        columns: int,
        rows: int,
        *,
        program: tuple[str, ...] = (),
        controls: bool = False,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._end, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.settings = termios.tcgetattr(theirs)
        self._theirs = theirs  # kept open: its state after the app is checked
        colours = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = PexProcess(
            argv,
            cwd=cwd,
            env={**env, **colours},
            program=program,
            controls=controls,
            start_new_session=True,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hang_up()
        os.close(self._theirs)

    def hang_up(self) -> None:
        """Take the terminal away."""
        if self._end >= 0:
            os.close(self._end)
            self._end = -1

    @property
    def is_hung_up(self) -> bool:
        """Return whether the terminal was taken away."""
        return self._end < 0

    @property
    def text(self) -> str:
        """Return what the terminal shows, line by line."""
        return "\n".join(self._screen.display)

    @property
    def is_as_before(self) -> bool:
        """Return whether the terminal has the modes from before the app started."""
        return termios.tcgetattr(self._theirs) == self.settings

    def press(self, *keys: str) -> None:
        """Type keys, one by one."""
        for key in keys:
            os.write(self._end, key.encode())

    def until(self, *words: str, absent: str | None = None) -> str:
        """Wait until the screen shows all the words, and no longer shows the absent one."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not (all(word in self.text for word in words) and self._lacks(absent)):
            assert time.monotonic() < give_up_at, f"no {words} in\n{self.text}"
            self._listen(give_up_at)
        return self.text

    def pending(self, seconds: float) -> bool:
        """Return whether the program writes anything within so many seconds; the output is read."""
        if not select.select([self._end], [], [], seconds)[0]:
            return False
        self._take()
        return True

    def listen(self, seconds: float) -> None:
        """Read for so many seconds."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.pending(left)

    def ended(self) -> int:
        """Wait for the program's end; return its exit code."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < give_up_at, f"it did not end:\n{self.text}"
            self._listen(give_up_at)
        self._listen(give_up_at)
        return self.process.returncode

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)

    def _lacks(self, word: str | None) -> bool:
        return word is None or word not in self.text

    def _listen(self, give_up_at: float) -> None:
        """Read output until a pause; stop at the deadline if the app never pauses."""
        look_at = min(give_up_at, time.monotonic() + 1)
        while self.pending(0.05) and time.monotonic() < look_at:
            pass

    def _take(self) -> None:
        with suppress(OSError):
            chunk = os.read(self._end, 1 << 16)
            self.raw += chunk
            self._stream.feed(chunk)
