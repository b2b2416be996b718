"""The kernel's view of processes, and signals that cannot reach another process by mistake.

Linux is read through /proc, everything else through psutil. The shim imports this module, so it
loads only the standard library unless it has to.
"""

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

# D: in the kernel; a pending SIGSTOP takes effect before user code.
_HALTED_STATES = frozenset("TtZXxD")
_PR_SET_DUMPABLE = 4  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_DEAD_STATES = frozenset("ZXx")
_STOPPED_STATES = frozenset("Tt")


class Stat(NamedTuple):
    """One process at one moment.

    `started` is in clock ticks since boot and tells reused pids apart.
    """

    state: str
    parent: int
    session: int
    started: int

    @property
    def is_dead(self) -> bool:
        """True if it only waits to be reaped."""
        return self.state in _DEAD_STATES

    @property
    def is_stopped(self) -> bool:
        """True if a signal (or a debugger) stopped it."""
        return self.state in _STOPPED_STATES

    @property
    def is_halted(self) -> bool:
        """True if it runs no code of its own until it is continued."""
        return self.state in _HALTED_STATES


class ProcessTable(Protocol):
    """Processes as an operating system shows them."""

    def boot_id(self) -> str:
        """Return an id of this boot of the machine."""
        ...

    def stat(self, pid: int) -> Stat | None:
        """Return the process, or None if there is none."""
        ...

    def children(self, pid: int) -> list[int]:
        """Return direct children, zombies included; empty if the process is gone."""
        ...

    def marked(self, marker: str) -> list[int]:
        """Return this user's processes whose environment has the `NAME=value` marker."""
        ...

    def openers(self, path: Path, *, writing: bool = False) -> list[int]:
        """Return this user's processes with the file open, or only those that may write to it."""
        ...

    def pids(self) -> Iterator[int]:
        """Yield all processes of this user."""
        ...


class ProcTable:
    """Linux's /proc."""

    def boot_id(self) -> str:
        """Return the random id that the kernel chose at boot."""
        return _read("/proc/sys/kernel/random/boot_id").decode().strip()

    def stat(self, pid: int) -> Stat | None:
        """Parse the fields of /proc/PID/stat after the command's name."""
        raw = _read(f"/proc/{pid}/stat")
        if not raw:
            return None
        fields = raw[raw.rindex(b")") + 2 :].split()
        return Stat(fields[0].decode(), int(fields[1]), int(fields[3]), int(fields[19]))

    def children(self, pid: int) -> list[int]:
        """Return the children of every thread of the process."""
        try:
            threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  # pathlib costs three times as much
        except OSError:
            return []
        if not _kernel_lists_children():
            return [other for other in self.pids() if self._is_child(other, pid)]
        found: list[int] = []
        for thread in threads:
            found.extend(map(int, _read(f"/proc/{pid}/task/{thread}/children").split()))
        return found

    def marked(self, marker: str) -> list[int]:
        """Return processes that were executed with the marker in their environment."""
        wanted = b"\0" + os.fsencode(marker) + b"\0"
        return [
            pid for pid in self.pids() if wanted in b"\0" + _read(f"/proc/{pid}/environ") + b"\0"
        ]

    def openers(self, path: Path, *, writing: bool = False) -> list[int]:
        """Return processes with a descriptor on the file, by /proc/PID/fd and fdinfo."""
        wanted = os.fspath(path.resolve())
        return [pid for pid in self.pids() if self._has_open(pid, wanted, writing=writing)]

    def _has_open(self, pid: int, wanted: str, *, writing: bool) -> bool:
        folder = f"/proc/{pid}/fd"
        try:
            for name in os.listdir(folder):  # noqa: PTH208  # pathlib costs three times as much
                if os.readlink(f"{folder}/{name}") == wanted:  # noqa: PTH115  # likewise
                    flags = re.search(
                        rb"^flags:\s+(\d+)", _read(f"/proc/{pid}/fdinfo/{name}"), re.MULTILINE
                    )
                    if not writing or (flags and int(flags[1], 8) & os.O_ACCMODE != os.O_RDONLY):
                        return True
        except OSError:  # it ended meanwhile, or is not readable
            return False
        return False

    def pids(self) -> Iterator[int]:
        """Yield all processes of this user."""
        user = os.getuid()
        for name in os.listdir("/proc"):  # noqa: PTH208  # pathlib costs three times as much
            if name.isdecimal():
                with suppress(OSError):
                    if os.stat(f"/proc/{name}").st_uid == user:  # noqa: PTH116  # likewise
                        yield int(name)

    def _is_child(self, pid: int, parent: int) -> bool:
        stat = self.stat(pid)
        return stat is not None and stat.parent == parent


class PsutilTable:
    """Any system that psutil supports; the session is unknown there and shows as -1."""

    def boot_id(self) -> str:
        """Return the time of boot."""
        import psutil  # noqa: PLC0415  # the shim on Linux runs without it

        return f"booted {psutil.boot_time():.0f}"

    def stat(self, pid: int) -> Stat | None:
        """Return state, parent and start from psutil."""
        import psutil  # noqa: PLC0415

        letters = {psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_DEAD: "X", psutil.STATUS_STOPPED: "T"}
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                state = letters.get(process.status(), "R")
                return Stat(state, process.ppid(), -1, round(process.create_time() * 100))
        except psutil.Error:
            return None

    def children(self, pid: int) -> list[int]:
        """Return direct children."""
        import psutil  # noqa: PLC0415

        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []

    def marked(self, marker: str) -> list[int]:
        """Return processes with the marker, as far as psutil may read their environment."""
        import psutil  # noqa: PLC0415

        name, _, value = marker.partition("=")
        found = []
        for pid in self.pids():
            with suppress(psutil.Error, OSError):
                if psutil.Process(pid).environ().get(name) == value:
                    found.append(pid)
        return found

    def openers(self, path: Path, *, writing: bool = False) -> list[int]:
        """Return processes with the file open, as far as psutil may look."""
        import psutil  # noqa: PLC0415

        found = []
        for pid in self.pids():
            with suppress(psutil.Error, OSError):
                files = psutil.Process(pid).open_files()
                modes = [getattr(one, "mode", "a") for one in files if one.path == os.fspath(path)]
                if any(not writing or mode != "r" for mode in modes):
                    found.append(pid)
        return found

    def pids(self) -> Iterator[int]:
        """Yield all processes of this user."""
        import psutil  # noqa: PLC0415

        user = os.getuid()
        for process in psutil.process_iter(["uids"]):
            uids = process.info["uids"]
            if uids is not None and uids.real == user:
                yield process.pid


def _read(path: str) -> bytes:
    """Return the file's bytes; empty if it is gone or not readable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(descriptor, 1 << 16):
            parts.append(part)
        return b"".join(parts)
    except OSError:  # the process ended between open and read
        return b""
    finally:
        os.close(descriptor)


@cache
def _kernel_lists_children() -> bool:
    return os.access(f"/proc/self/task/{os.getpid()}/children", os.R_OK)


TABLE: ProcessTable = ProcTable() if os.access("/proc/self/stat", os.R_OK) else PsutilTable()


def become_subreaper() -> None:
    """Inherit every orphan below this process, if the kernel supports that (Linux)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def keep_private() -> None:
    """Protect this process's environment and memory from the user's other processes.

    Only Linux supports that, and not against root. Programs that it executes are not protected.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def _prctl(option: int, value: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # noqa: PLC0415  # seldom needed

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} is refused")


def send_signal(pid: int, number: int, stat: Stat, table: ProcessTable = TABLE) -> bool:
    """Signal the process that `stat` describes; return False if that one is gone.

    A pidfd pins the process between the check and the signal; without pidfds only the check
    remains.
    """
    if not hasattr(os, "pidfd_open"):
        if not is_same(table.stat(pid), stat):
            return False
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
        return True
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not is_same(table.stat(pid), stat):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def is_same(now: Stat | None, then: Stat) -> bool:
    """Return whether both describe the same live process."""
    return now is not None and not now.is_dead and now.started == then.started
