"""The resources that a process tree uses, read from /proc.

A sweep costs about 25 µs a process. Resident sizes count a shared page once for each process, so
`proportional_bytes`, which is exact and costs ten times as much, decides near a limit.
"""

import os
import re

from pex_tui.adapters.limits.values import TreeUse
from pex_tui.adapters.system.kernel import TABLE, ProcTable

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


def tree_pids(top: int) -> list[int]:
    """Return the pids of all processes below `top`, zombies included."""
    found = [top]
    for pid in found:
        found += TABLE.children(pid)
    return found[1:]


def tree_use(pids: list[int]) -> TreeUse:
    """Return the use of these processes; CPU includes that of their reaped children."""
    if not isinstance(TABLE, ProcTable):
        return _portable_use(pids)
    pages, ticks = 0, 0
    for pid in pids:
        raw = _read(f"/proc/{pid}/stat")
        if raw:
            fields = raw[raw.rindex(b")") + 2 :].split()
            ticks += sum(map(int, fields[11:15]))
            pages += int(fields[21])
    return TreeUse(pages * _PAGE, ticks * _TICK, len(pids))


def proportional_bytes(pids: list[int]) -> int:
    """Return the memory of these processes, a shared page divided among those that share it.

    A process whose mappings may not be read counts with its resident size.
    """
    total = 0
    for pid in pids:
        match = _PSS.search(_read(f"/proc/{pid}/smaps_rollup"))
        total += int(match[1]) * 1024 if match else tree_use([pid]).memory_bytes
    return total


def _portable_use(pids: list[int]) -> TreeUse:
    import psutil  # noqa: PLC0415  # a shim on Linux runs without it

    memory, seconds = 0, 0.0
    for pid in pids:
        try:
            process = psutil.Process(pid)
            times = process.cpu_times()
            memory += process.memory_info().rss
        except psutil.Error:
            continue
        seconds += times.user + times.system
    return TreeUse(memory, seconds, len(pids))


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 1 << 14)
    except OSError:  # the process ended between open and read
        return b""
    finally:
        os.close(descriptor)
