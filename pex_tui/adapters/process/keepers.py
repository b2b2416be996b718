"""Whose process a process is: found by the shims above it, whatever it did to hide.

A shim inherits every orphan below it, so neither a new session nor a double fork nor an empty
environment leads out of its attempt. A shim is known by the lock that it holds open. Where shims
can't be recognised (no /proc), nobody is taken for an agent's process.
"""

import os
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.process.records import ALIVE_LOCK, MARKER, read_start
from pex_tui.adapters.system.kernel import TABLE, ProcessTable, ProcTable, is_same

_SO_PEERPIDFD = 77  # asm-generic/socket.h, since Linux 6.5
_TRIES = 8
_MOST_ANCESTORS = 4096
_DELETED = " (deleted)"
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Keeper:
    """An attempt that a process belongs to: its folder, None where only a marker tells of it."""

    folder: Path | None

    @property
    def name(self) -> str:
        """The task's name; the folder is RUN/TASK/ATTEMPT in the runs' own."""
        return "" if self.folder is None else self.folder.parent.name


class PeerGoneError(Exception):
    """The process on the other end ended before it could be looked at."""


def keeper_of(pid: int, table: ProcessTable = TABLE) -> Keeper | None:
    """The attempt that the process is part of, the innermost; raise PeerGoneError without it.

    The process itself is not its own keeper, so a shim's is that of the engine which started it.
    """
    if not isinstance(table, ProcTable):
        return None
    for _ in range(_TRIES):  # an ancestor may end between two steps
        with suppress(PeerGoneError):
            return _climb(pid, table)
        if table.stat(pid) is None:
            break
    raise PeerGoneError(f"process {pid} is gone")


def own_keeper() -> Keeper | None:
    """The attempt that this process is part of."""
    return keeper_of(os.getpid())


def peer_keeper(connection: socket.socket) -> Keeper | None:
    """The attempt that the process on the other end is part of; raise PeerGoneError, OSError.

    The process is the one that connected. It has to live still: its pid may be another's by now.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, _, _ = _CREDENTIALS.unpack(raw)
    before = TABLE.stat(pid) if pid > 0 else None
    if before is None or not _is_alive(connection):
        raise PeerGoneError(f"process {pid} is gone")
    found = keeper_of(pid)
    if not (is_same(TABLE.stat(pid), before) and _is_alive(connection)):
        raise PeerGoneError(f"process {pid} is gone")
    return found


def _is_alive(connection: socket.socket) -> bool:
    """Whether the process that connected lives, as far as the kernel can pin it."""
    try:
        descriptor = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError:  # an older kernel
        return True
    try:
        state = Path(f"/proc/self/fdinfo/{descriptor}").read_text("utf-8")
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return "Pid:\t-1" not in state


def _climb(pid: int, table: ProcessTable) -> Keeper | None:
    """Go up to the first shim; a marker in an environment counts where no shim is found."""
    marked: Keeper | None = Keeper(None) if _is_marked(pid) else None
    for _ in range(_MOST_ANCESTORS):
        stat = table.stat(pid)
        if stat is None:
            raise PeerGoneError(f"process {pid} is gone")
        pid = stat.parent
        if pid <= 1:
            return marked
        folder = _kept_by(pid)
        if folder is not None:
            return Keeper(folder)
        marked = marked or (Keeper(None) if _is_marked(pid) else None)
    return marked


def _kept_by(pid: int) -> Path | None:
    """The attempt's folder of a shim, None for any other process."""
    descriptors = Path(f"/proc/{pid}/fd")
    with suppress(OSError):
        for name in os.listdir(descriptors):  # noqa: PTH208  # a name is all that is needed
            with suppress(OSError):
                target = str((descriptors / name).readlink())
                folder = Path(target.removesuffix(_DELETED)).parent
                if target.removesuffix(_DELETED).endswith(f"/{ALIVE_LOCK}") and (
                    target.endswith(_DELETED) or _is_shim_of(folder, pid)
                ):
                    return folder
    return None


def _is_shim_of(folder: Path, pid: int) -> bool:
    """Whether the attempt's record names the process: an engine opens locks as well, to look."""
    record = read_start(folder)
    return record is not None and record.shim_pid == pid


def _is_marked(pid: int) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return any(part.startswith(f"{MARKER}=".encode()) for part in environment.split(b"\0"))
