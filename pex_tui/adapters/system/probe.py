"""Resource usage of process trees, through psutil."""

import time
from collections.abc import Mapping
from contextlib import suppress

import psutil

from pex_tui.adapters.system.kernel import TABLE
from pex_tui.core.model.ids import TaskId
from pex_tui.engine.session import Usage


class TreeMeter:
    """CPU and memory of agents' trees; CPU is measured between two readings."""

    def __init__(self) -> None:
        self._cores = psutil.cpu_count() or 1
        self._read_at = time.monotonic()
        self._seconds: dict[int, float] = {}  # CPU seconds by pid, as of the last reading

    def read(self, roots: Mapping[TaskId, int]) -> Usage:
        """Return the usage of the trees of these root pids, without processes that just ended.

        Memory is resident set size, so shared pages count once for each process.
        """
        now = time.monotonic()
        elapsed = max(now - self._read_at, 1e-6)
        seconds: dict[int, float] = {}
        rows = []
        for task, pid in roots.items():
            spent, resident = self._tree(pid, seconds)
            rows.append((task, min(1.0, spent / elapsed / self._cores), resident))
        self._read_at, self._seconds = now, seconds
        return Usage(
            cpu=min(1.0, sum(cpu for _, cpu, _ in rows)),
            memory_bytes=sum(resident for _, _, resident in rows),
            by_task=tuple(rows),
        )

    def _tree(self, pid: int, seconds: dict[int, float]) -> tuple[float, int]:
        """Return a process tree's CPU seconds since the last reading, and its resident bytes."""
        spent, resident = 0.0, 0
        members = [pid]
        for member in members:
            members += TABLE.children(member)
            with suppress(psutil.Error):
                process = psutil.Process(member)
                times = process.cpu_times()
                total = times.user + times.system
                resident += process.memory_info().rss
                seconds[process.pid] = total
                spent += max(0.0, total - self._seconds.get(process.pid, total))
        return spent, resident
