"""Make sure that an attempt that was given up can never start late.

A shim holds `alive.lock` of its attempt's folder from before it starts the program to its end.
Giving up raises the number in the folder's fence under the same lock, and a shim whose request has
a lower number starts nothing. So after giving up it is certain, regardless of stopped or slow
processes: either the attempt runs and its record exists, or it will never run.
"""

import fcntl
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.process.records import ALIVE_LOCK, START, StartRecord, read_start
from pex_tui.adapters.system.kernel import TABLE, ProcessTable, send_signal
from pex_tui.adapters.system.whole_file import write_whole

FENCE = "fence"
_PATIENCE_SECONDS = (
    5.0  # for a shim between its lock and its record: a moment, unless it is stopped
)
_NAP_SECONDS = 0.01


def read_fence(folder: Path) -> int:
    """Return the lowest number that a request may have; 0 if nothing was ever given up."""
    try:
        return int((folder / FENCE).read_text("ascii"))
    except (OSError, ValueError):
        return 0


def give_up(folder: Path, table: ProcessTable = TABLE) -> StartRecord | None:
    """Return the record of a start, or None if nothing started and nothing ever will.

    Blocks for a few seconds at most; raises OSError if the folder is not writable.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / ALIVE_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    try:
        while not _locked(lock):
            record = read_start(folder)
            if record is not None and record.root_pid:
                return record
            wake(record, table)
            if time.monotonic() > give_up_at:
                _kill_holders(folder / ALIVE_LOCK, table)
            time.sleep(_NAP_SECONDS)
        if not (folder / START).exists():
            write_whole(folder / FENCE, str(read_fence(folder) + 1).encode())
        return read_start(folder)
    finally:
        os.close(lock)


def is_alive(folder: Path) -> bool:
    """Return whether a shim holds the lock of the attempt's folder."""
    try:
        descriptor = os.open(folder / ALIVE_LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def wake(record: StartRecord | None, table: ProcessTable = TABLE) -> bool:
    """Continue an attempt's shim if somebody stopped it; return whether somebody had."""
    if record is None or record.boot_id != table.boot_id():
        return False
    shim = table.stat(record.shim_pid)
    if shim is None or not shim.is_stopped or shim.started != record.shim_started:
        return False
    return send_signal(record.shim_pid, signal.SIGCONT, shim, table)


def _locked(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _kill_holders(path: Path, table: ProcessTable) -> None:
    """End the shim that holds the lock without progress: it was stopped there."""
    for pid in table.openers(path):
        stat = table.stat(pid)
        if stat is not None and pid != os.getpid():
            send_signal(pid, signal.SIGKILL, stat, table)
