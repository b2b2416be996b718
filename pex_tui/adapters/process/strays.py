"""Ending what a killed shim left behind: found by its environment marker, session and ancestry."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.process import tree
from pex_tui.adapters.process.kernel import TABLE, ProcessTable, Stat, send_signal
from pex_tui.adapters.process.records import MARKER, StartRecord

_PATIENCE_SECONDS = 5.0
_NAP_SECONDS = 0.002


def end_strays(record: StartRecord, table: ProcessTable = TABLE) -> int:
    """Kill every process of the attempt whose shim is gone; how many there were.

    Nothing is signalled when the machine has booted since, and no process but the attempt's own.
    """
    if record.boot_id != table.boot_id():
        return 0
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    ended: set[int] = set()
    while found := _strays(record, table):
        for pid, stat in found.items():
            send_signal(pid, signal.SIGSTOP, stat, table)
        tree.kill_pass(list(found), table)
        for pid, stat in found.items():
            send_signal(pid, signal.SIGKILL, stat, table)
        ended |= found.keys()
        if time.monotonic() > give_up_at:
            break
        time.sleep(_NAP_SECONDS)
    with suppress(OSError):
        Path(record.control).unlink()
    return len(ended)


def _strays(record: StartRecord, table: ProcessTable) -> dict[int, Stat]:
    """Marked processes, the root, and its session while the root itself proves that it is ours."""
    found = {pid: table.stat(pid) for pid in table.marked(f"{MARKER}={record.token}")}
    root = table.stat(record.root_pid)
    if root is not None and root.started == record.root_started:
        for pid in table.pids():
            stat = table.stat(pid)
            if stat is not None and stat.session == record.root_pid:
                found[pid] = stat
    return {
        pid: stat
        for pid, stat in found.items()
        if stat is not None and not stat.is_dead and pid != os.getpid()
    }
