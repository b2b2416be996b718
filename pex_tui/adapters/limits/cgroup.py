"""The cgroup of one attempt: the kernel holds its limits, whatever the processes do.

Every attempt has a cgroup of its own below a folder that this user may write to: in version 1 one
folder in each of three hierarchies, in version 2 one folder. The launcher removes it when the shim
has ended.
"""

import errno
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pex_tui.adapters.limits.values import LimitRequest, Tier

CONTROLLERS = ("memory", "cpu", "pids")
_PERIOD = 100_000  # microseconds
_SHARES_OF_A_CORE = 1024  # of version 1
_WEIGHT_OF_A_CORE = 100  # of version 2
_HEAVIEST = 10_000
_REMOVE_SECONDS = 0.5
_NAP_SECONDS = 0.002


class Cgroup(Protocol):
    """The cgroup of one attempt."""

    def create(self) -> None:
        """Make it, without limits; raise OSError."""
        ...

    def hold(self, limits: LimitRequest) -> None:
        """Set its limits; raise OSError."""
        ...

    def enter(self, pid: int = 0) -> None:
        """Move a process (0: this one) into it; what that starts from now on is in it as well."""
        ...

    def leave(self) -> None:
        """Move this process to the launcher's own cgroup."""
        ...

    def memory_bytes(self) -> int:
        """Return the memory of its processes, without caches that the kernel can drop."""
        ...

    def peak_bytes(self) -> int:
        """Return the most memory that was ever charged, caches included."""
        ...

    def has_killed(self) -> bool:
        """Return whether the kernel killed a process for the memory limit."""
        ...

    def processes(self) -> int:
        """Return the number of its processes and threads."""
        ...

    def has_refused(self) -> bool:
        """Return whether the kernel refused to start a process for their number."""
        ...

    def remove(self) -> None:
        """Remove it, empty as it must be by now; one that is not stays behind."""
        ...


class CgroupBase(Protocol):
    """The folders below which cgroups are made."""

    @property
    def tier(self) -> Tier:
        """Return the tier of its cgroups."""
        ...

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return the folders."""
        ...

    def cgroup(self, name: str) -> Cgroup:
        """Return the cgroup of this name, not made yet."""
        ...


class Version1Base:
    """A folder in each of the hierarchies memory, cpu and pids of version 1."""

    tier = Tier.CGROUP1

    def __init__(self, at: dict[str, Path]) -> None:
        self._at = at

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return the folder of each hierarchy."""
        return tuple(self._at[kind] for kind in CONTROLLERS)

    def cgroup(self, name: str) -> Cgroup:
        """Return the cgroup of this name in each hierarchy."""
        return _Version1(self.folders, name)


class _Version1:
    def __init__(self, home: tuple[Path, ...], name: str) -> None:
        self._home = home
        self._folders = tuple(folder / name for folder in home)
        self._memory, self._cpu, self._pids = self._folders

    def create(self) -> None:
        for folder in self._folders:
            folder.mkdir()

    def hold(self, limits: LimitRequest) -> None:
        if limits.memory_bytes is not None:
            _write(self._memory / "memory.limit_in_bytes", limits.memory_bytes)
            with suppress(OSError):  # swap is not accounted on this machine
                _write(self._memory / "memory.memsw.limit_in_bytes", limits.memory_bytes)
        if limits.cpu_cores is not None:
            _write(self._cpu / "cpu.cfs_period_us", _PERIOD)
            _write(self._cpu / "cpu.cfs_quota_us", max(1000, round(limits.cpu_cores * _PERIOD)))
        if limits.share is not None:
            _write(self._cpu / "cpu.shares", max(2, round(limits.share * _SHARES_OF_A_CORE)))
        if limits.processes is not None:
            _write(self._pids / "pids.max", limits.processes)

    def enter(self, pid: int = 0) -> None:
        for folder in self._folders:
            _write(folder / "cgroup.procs", pid)

    def leave(self) -> None:
        for folder in self._home:
            _write(folder / "cgroup.procs", 0)

    def memory_bytes(self) -> int:
        found = _table(self._memory / "memory.stat")
        return found.get("total_rss", 0) + found.get("total_shmem", 0)

    def peak_bytes(self) -> int:
        return _number(self._memory / "memory.max_usage_in_bytes")

    def has_killed(self) -> bool:
        return _table(self._memory / "memory.oom_control").get("oom_kill", 0) > 0

    def processes(self) -> int:
        return _number(self._pids / "pids.current")

    def has_refused(self) -> bool:
        return _table(self._pids / "pids.events").get("max", 0) > 0

    def remove(self) -> None:
        remove_folders(self._folders)


class Version2Base:
    """A folder whose children have the controllers memory, cpu and pids of version 2."""

    def __init__(self, folder: Path, home: Path, tier: Tier = Tier.CGROUP2) -> None:
        self.tier = tier
        self._folder = folder
        self._home = home  # the launcher's own cgroup

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return the folder."""
        return (self._folder,)

    def cgroup(self, name: str) -> Cgroup:
        """Return the cgroup of this name."""
        return _Version2(self._folder / name, self._home)


class _Version2:
    def __init__(self, folder: Path, home: Path) -> None:
        self._folder = folder
        self._home = home

    def create(self) -> None:
        self._folder.mkdir()

    def hold(self, limits: LimitRequest) -> None:
        folder = self._folder
        if limits.memory_bytes is not None:
            _write(folder / "memory.max", limits.memory_bytes)
            with suppress(OSError):  # there is no swap on this machine
                _write(folder / "memory.swap.max", 0)
        if limits.cpu_cores is not None:
            quota = max(1000, round(limits.cpu_cores * _PERIOD))
            _write(folder / "cpu.max", f"{quota} {_PERIOD}")
        if limits.share is not None:
            weight = round(limits.share * _WEIGHT_OF_A_CORE)
            _write(folder / "cpu.weight", min(_HEAVIEST, max(1, weight)))
        if limits.processes is not None:
            _write(folder / "pids.max", limits.processes)

    def enter(self, pid: int = 0) -> None:
        _write(self._folder / "cgroup.procs", pid)

    def leave(self) -> None:
        _write(self._home / "cgroup.procs", 0)

    def memory_bytes(self) -> int:
        found = _table(self._folder / "memory.stat")
        return found.get("anon", 0) + found.get("shmem", 0)

    def peak_bytes(self) -> int:
        return _number(self._folder / "memory.peak")

    def has_killed(self) -> bool:
        return _table(self._folder / "memory.events").get("oom_kill", 0) > 0

    def processes(self) -> int:
        return _number(self._folder / "pids.current")

    def has_refused(self) -> bool:
        return _table(self._folder / "pids.events").get("max", 0) > 0

    def remove(self) -> None:
        remove_folders((self._folder,))


def remove_folders(folders: Iterable[Path]) -> None:
    """Remove empty cgroups; one that the kernel still counts a dying process in is tried again."""
    give_up_at = time.monotonic() + _REMOVE_SECONDS
    for folder in folders:
        while True:
            try:
                folder.rmdir()
            except OSError as error:
                if error.errno == errno.EBUSY and time.monotonic() < give_up_at:
                    time.sleep(_NAP_SECONDS)
                    continue
            break


def _write(path: Path, value: int | str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)


def _number(path: Path) -> int:
    """Return the number in a file; 0 for one that is missing."""
    try:
        return int(path.read_bytes())
    except (OSError, ValueError):
        return 0


def _table(path: Path) -> dict[str, int]:
    """Return the lines `name number` of a file; empty for one that is missing."""
    try:
        pairs = (line.split() for line in path.read_text().splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) > 1}
    except (OSError, ValueError):
        return {}
