"""The memory of this machine, or of the containers that this process is in."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pex_tui.adapters.limits.cgroup_mounts import UNIFIED, own_cgroups
from pex_tui.adapters.limits.tree_use import tree_pids, tree_use
from pex_tui.core.model.ids import TaskId
from pex_tui.engine.memory_monitor import MemoryReading

_STALLS = Path("/proc/pressure/memory")
_MEMINFO = Path("/proc/meminfo")
_UNLIMITED = 1 << 60  # version 1 writes "no limit" as a huge number


class MachineMemory:
    """Measures memory by /proc, and by psutil on other systems."""

    def __init__(self, proc: Path = Path("/proc/self")) -> None:
        self._containers = _containers(own_cgroups(proc))

    def read(self, roots: Mapping[TaskId, int]) -> MemoryReading:
        """Return the memory that there is, and the use of the trees with these root pids."""
        total, available = _machine()
        for container in self._containers:
            limit, left = container()
            total, available = min(total, limit), min(available, left)
        used = tuple(
            (task, tree_use([pid, *tree_pids(pid)]).memory_bytes) for task, pid in roots.items()
        )
        return MemoryReading(total, available, _stalled(), used, time.monotonic())


def machine_memory() -> int:
    """Return the memory in bytes that this process and all that it starts can have."""
    return MachineMemory().read({}).total_bytes


def _machine() -> tuple[int, int]:
    """Return the total and the available memory."""
    try:
        rows = (line.split() for line in _MEMINFO.read_text().splitlines())
        found = {row[0]: int(row[1]) * 1024 for row in rows}
        return found["MemTotal:"], found["MemAvailable:"]
    except (OSError, LookupError, ValueError):  # not Linux
        import psutil  # noqa: PLC0415  # not needed on Linux

        memory = psutil.virtual_memory()
        return int(memory.total), int(memory.available)


def _containers(mounted: Mapping[str, tuple[Path, Path]]) -> list[Callable[[], tuple[int, int]]]:
    """Return, for this process's cgroup and each above it, its limit and what that leaves."""
    mount, own = mounted.get("memory", mounted.get(UNIFIED, (None, None)))
    if mount is None or own is None:
        return []
    return [_container(at) for at in (own, *own.parents) if at.is_relative_to(mount)]


def _container(folder: Path) -> Callable[[], tuple[int, int]]:
    is_first = (folder / "memory.limit_in_bytes").exists()
    limits = ("memory.limit_in_bytes",) if is_first else ("memory.max", "memory.high")
    use = folder / ("memory.usage_in_bytes" if is_first else "memory.current")
    cache = "total_inactive_file" if is_first else "inactive_file"

    def read() -> tuple[int, int]:
        limit = min(_number(folder / name) or _UNLIMITED for name in limits)
        if limit >= _UNLIMITED:
            return _UNLIMITED, _UNLIMITED
        used = max(0, (_number(use) or 0) - _table(folder / "memory.stat").get(cache, 0))
        return limit, max(0, limit - used)

    return read


def _stalled() -> float:
    """Return the share of the last ten seconds in which something waited for memory."""
    try:
        first = _STALLS.read_text().split()
        return float(first[1].partition("=")[2]) / 100
    except (OSError, LookupError, ValueError):  # an old kernel, or not Linux
        return 0.0


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # "max"
        return None


def _table(path: Path) -> dict[str, int]:
    try:
        return {
            row[0]: int(row[1]) for line in path.read_text().splitlines() if (row := line.split())
        }
    except (OSError, LookupError, ValueError):
        return {}
