"""Find, freeze, continue and end a whole process tree, each to a fixpoint.

A process that forks during a scan escapes it, so every sweep stops what it finds before listing the
children, and sweeps repeat until nothing new is found.
"""

import signal
import time

from pex_tui.adapters.system.kernel import TABLE, ProcessTable, Stat, send_signal

_ROUNDS = 40
_NAP_SECONDS = 0.001


def descendants(top: int, table: ProcessTable = TABLE) -> dict[int, Stat]:
    """Return every live process below `top`, parents before their children."""
    return _walk([top], {}, None, table)


def freeze(top: int, patience_seconds: float, table: ProcessTable = TABLE) -> bool:
    """Stop every process below `top`; return True once none of them can run any more."""
    give_up_at = time.monotonic() + patience_seconds
    frozen: dict[int, Stat] = {}
    stable = False
    while True:
        fresh = _walk([top], frozen, signal.SIGSTOP, table)
        if stable and not fresh:
            return True
        frozen |= fresh
        stable = _all_halted(frozen, table)
        if not stable:
            if time.monotonic() > give_up_at:
                return False
            time.sleep(_NAP_SECONDS)


def thaw(top: int, table: ProcessTable = TABLE) -> None:
    """Continue every process below `top`."""
    for pid, stat in descendants(top, table).items():
        send_signal(pid, signal.SIGCONT, stat, table)


def terminate(top: int, table: ProcessTable = TABLE, *, spared: int = 0) -> None:
    """Ask every process below `top` to end; wake stopped ones only once all have been asked.

    The process `spared` is only woken.
    """
    found = descendants(top, table)
    for number in (signal.SIGTERM, signal.SIGCONT):
        for pid, stat in found.items():
            if pid != spared or number == signal.SIGCONT:
                send_signal(pid, number, stat, table)


def kill_pass(tops: list[int], table: ProcessTable = TABLE) -> int:
    """Stop, then kill, what is below `tops`; return their number. Repeat until it is 0.

    Children are killed before their parents: the kernel wakes the stopped group of a dead parent.
    """
    found: dict[int, Stat] = {}
    for _ in range(_ROUNDS):
        fresh = _walk(tops, found, signal.SIGSTOP, table)
        if not fresh:
            break
        found |= fresh
    for pid, stat in reversed(found.items()):
        send_signal(pid, signal.SIGKILL, stat, table)
    return len(found)


def _walk(
    tops: list[int], known: dict[int, Stat], number: int | None, table: ProcessTable
) -> dict[int, Stat]:
    """Return the processes below `tops` that are not `known`, sending each the signal, if any."""
    fresh: dict[int, Stat] = {}
    queue = list(tops)
    for parent in queue:
        for pid in table.children(parent):
            stat = table.stat(pid)
            if stat is None or stat.is_dead or pid in fresh:
                continue
            queue.append(pid)
            if pid in known and known[pid].started == stat.started:
                continue
            fresh[pid] = stat
            if number is not None:
                send_signal(pid, number, stat, table)
    return fresh


def _all_halted(processes: dict[int, Stat], table: ProcessTable) -> bool:
    """Return whether each is gone or halted; stop those that were woken meanwhile."""
    stable = True
    for pid, then in processes.items():
        now = table.stat(pid)
        if now is not None and now.started == then.started and not now.is_halted:
            send_signal(pid, signal.SIGSTOP, then, table)
            stable = False
    return stable
