"""Watch for the end of a process: without a thread and, with pidfds, without polling."""

import asyncio
import os
from collections.abc import Callable

from pex_tui.adapters.system.kernel import TABLE, ProcessTable, Stat, is_same

_POLL_SECONDS = 0.1


class Watch:
    """Sets `gone` once the process has ended, and calls `ended`."""

    def __init__(
        self,
        pid: int,
        stat: Stat,
        ended: Callable[[], None] = lambda: None,
        table: ProcessTable = TABLE,
    ) -> None:
        self.gone = asyncio.Event()
        self._pid = pid
        self._stat = stat
        self._table = table
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._descriptor: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        if hasattr(os, "pidfd_open"):
            self._open()
        else:
            self._poll()

    def close(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        try:
            self._descriptor = os.pidfd_open(self._pid)
        except ProcessLookupError:
            self.gone.set()
            return
        except OSError:  # an old kernel, or no descriptor left
            self._poll()
            return
        self._loop.add_reader(self._descriptor, self._end)
        if not is_same(self._table.stat(self._pid), self._stat):  # reused before it was pinned
            self._end()

    def _poll(self) -> None:
        if is_same(self._table.stat(self._pid), self._stat):
            self._timer = self._loop.call_later(_POLL_SECONDS, self._poll)
        else:
            self._end()

    def _end(self) -> None:
        self.close()
        self.gone.set()
        self._ended()
