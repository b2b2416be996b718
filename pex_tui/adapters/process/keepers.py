"""Find the attempt that a process belongs to, by the shims above it.

A shim inherits every orphan below it, so a new session, a double fork or an empty environment does
not leave its attempt. A shim is recognised by the lock that it holds open. On systems where shims
cannot be recognised (no /proc), no process counts as an agent's.
"""

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pex_tui.adapters.process.records import ALIVE_LOCK, MARKER, read_start
from pex_tui.adapters.system.kernel import TABLE, ProcessTable, ProcTable, is_same

_SO_PEERPIDFD = 77  # asm-generic/socket.h, since Linux 6.5
_TRIES = 8
_MOST_ANCESTORS = 4096
_DELETED = " (deleted)"
_CREDENTIALS = struct.Struct("3i")


class Keeper(NamedTuple):
    """The attempt that a process belongs to; `folder` is None if only a marker identifies it."""

    folder: Path | None

    @property
    def name(self) -> str:
        """The task's name; the folder is RUN/TASK/ATTEMPT below the folder of all runs."""
        return "" if self.folder is None else self.folder.parent.name


class PeerGoneError(Exception):
    """The peer process ended before it could be looked at."""


def keeper_of(pid: int, table: ProcessTable = TABLE) -> Keeper | None:
    """Return the innermost attempt that contains the process; raise PeerGoneError.

    A process is not its own keeper, so a shim's keeper is that of the engine that started it.
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
    """Return the attempt that contains this process."""
    return keeper_of(os.getpid())


def peer_keeper(connection: socket.socket) -> Keeper | None:
    """Return the attempt that contains the peer process; raise PeerGoneError, OSError.

    The peer is the process that connected. It must still be alive: its pid may have been reused.
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
    """Return whether the process that connected is alive, as far as the kernel can pin it."""
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
    """Find the nearest shim above; without one, a marker in an environment counts."""
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
    """Return the attempt's folder of a shim, None for any other process."""
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
    """Return whether the attempt's record names the process: engines open the locks as well."""
    record = read_start(folder)
    return record is not None and record.shim_pid == pid


def _is_marked(pid: int) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return any(part.startswith(f"{MARKER}=".encode()) for part in environment.split(b"\0"))
