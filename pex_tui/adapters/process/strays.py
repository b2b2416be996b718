"""End what a killed shim left behind, found by its marker, log, session and ancestry."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.process.records import MARKER, StartRecord
from pex_tui.adapters.system import tree
from pex_tui.adapters.system.kernel import TABLE, ProcessTable, Stat, send_signal
from pex_tui.engine.attempt import AttemptKey

_PATIENCE_SECONDS = 5.0
_NAP_SECONDS = 0.002


def end_strays(record: StartRecord, output: Path, table: ProcessTable = TABLE) -> int:
    """Kill every process of the attempt whose shim is gone; return their number.

    Nothing is signalled if the machine has rebooted since, and only the attempt's own processes
    are: `output` is its log, to which nothing else writes.
    """
    if record.boot_id != table.boot_id():
        return 0
    ended = _end_all(lambda: _strays(record, output, table), table)
    with suppress(OSError):
        Path(record.control).unlink()
    return ended


def end_nameless(key: AttemptKey, table: ProcessTable = TABLE) -> int:
    """Kill every process of an attempt without records, by the environment; return their number."""
    names = {"PEX_RUN": key.run, "PEX_TASK": key.task, "PEX_ATTEMPT": str(key.attempt)}

    def find() -> dict[int, Stat | None]:
        found = [set(table.marked(f"{name}={text}")) for name, text in names.items()]
        return {pid: table.stat(pid) for pid in set.intersection(*found)}

    return _end_all(find, table)


def _end_all(find: Callable[[], dict[int, Stat | None]], table: ProcessTable) -> int:
    """Kill what is found, and all below it, until nothing is found."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    ended: set[int] = set()
    while found := _living(find()):
        for pid, stat in found.items():
            send_signal(pid, signal.SIGSTOP, stat, table)
        tree.kill_pass(list(found), table)
        for pid, stat in found.items():
            send_signal(pid, signal.SIGKILL, stat, table)
        ended |= found.keys()
        if time.monotonic() > give_up_at:
            break
        time.sleep(_NAP_SECONDS)
    return len(ended)


def _living(found: dict[int, Stat | None]) -> dict[int, Stat]:
    return {
        pid: stat
        for pid, stat in found.items()
        if stat is not None and not stat.is_dead and pid != os.getpid()
    }


def _strays(record: StartRecord, output: Path, table: ProcessTable) -> dict[int, Stat | None]:
    """Return marked processes, writers of the log, and the root's session while it is ours."""
    pids = {*table.marked(f"{MARKER}={record.token}"), *table.openers(output, writing=True)}
    found = {pid: table.stat(pid) for pid in pids}
    root = table.stat(record.root_pid)
    if root is not None and root.started == record.root_started:
        for pid in table.pids():
            stat = table.stat(pid)
            if stat is not None and stat.session == record.root_pid:
                found[pid] = stat
    return found
