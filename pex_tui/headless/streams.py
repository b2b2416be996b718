"""Output of a headless command: lines wait for slow readers, nothing waits for the lines.

A run continues, and releases its lock, whether or not its output is read.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

from msgspec import Struct, field

from pex_tui.outlet import LineOutlet

_INTERRUPTED = 130
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_SECONDS = 0.05
Printer = Callable[[str], None]


def _output() -> LineOutlet:
    sys.stdout.flush()
    return LineOutlet(1, encoding=sys.stdout.encoding)


def _notes() -> LineOutlet:
    sys.stderr.flush()
    return LineOutlet(2, encoding=sys.stderr.encoding)


class Streams(Struct, frozen=True):
    """The streams for the report or JSON Lines, and for a person's notes."""

    output: LineOutlet = field(default_factory=_output)
    notes: LineOutlet = field(default_factory=_notes)
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def are_read(self) -> bool:
        """Return whether the readers have consumed everything."""
        return self.output.drain(0.0) and self.notes.drain(0.0)

    def heed_signals(self) -> None:
        """Let signals end the wait for readers from now on."""
        for number in ENDING_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self.interrupted.set)


async def printing(command: Callable[[Streams], Awaitable[int]]) -> int:
    """Run a command that prints; return its exit code once the readers have consumed everything.

    No lock is held during that wait; a signal ends it, with exit code 130.
    """
    streams = Streams()
    try:
        code = await command(streams)
    finally:
        is_read = await _read(streams)
    return code if is_read else _INTERRUPTED


async def _read(streams: Streams) -> bool:
    streams.heed_signals()
    try:
        while not (streams.are_read or streams.interrupted.is_set()):  # noqa: ASYNC110  # set by other threads
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        for number in ENDING_SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)
    return not streams.interrupted.is_set()
