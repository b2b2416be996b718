"""A watcher process that ends a program if the process that started it is killed.

The watcher is a separate process, because a killed process can do nothing itself. It ends the
program's session, which double forks do not leave.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pex_tui.adapters.system import tree
from pex_tui.adapters.system.kernel import TABLE, send_signal

_BOOT = (
    "import sys; sys.path.append(sys.argv[1]);"
    "from pex_tui.adapters.system.lifeline import watch; watch(*map(int, sys.argv[2:]))"
)
_GRACE_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
_NAP_SECONDS = 0.01


@contextmanager
def ending_with_us(leader: int) -> Iterator[None]:
    """Within this context, end the child's session when this process is gone.

    Does nothing if the kernel cannot pin processes.
    """
    if not hasattr(os, "pidfd_open"):
        yield
        return
    package = os.fspath(Path(__file__).resolve().parents[3])
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _BOOT, package, str(os.getpid()), str(leader)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,
    )
    try:
        yield
    finally:
        watcher.kill()
        watcher.wait()


def watch(starter: int, leader: int) -> None:
    """Wait for the end of either; end the session of `leader` if `starter` ended first."""
    try:
        program = os.pidfd_open(leader)
    except ProcessLookupError:
        return
    with suppress(ProcessLookupError):
        begun = os.pidfd_open(starter)
        if os.getppid() == starter and begun not in select.select([begun, program], [], [])[0]:
            return
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGTERM)
    select.select([program], [], [], _GRACE_SECONDS)
    _end_session(leader)


def _end_session(leader: int) -> None:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        stats = {pid: TABLE.stat(pid) for pid in TABLE.pids()}
        found = {
            pid: stat
            for pid, stat in stats.items()
            if stat is not None and stat.session == leader and not stat.is_dead
        }
        if not found:
            return
        tree.kill_pass(list(found))
        for pid, stat in found.items():
            send_signal(pid, signal.SIGKILL, stat)
        time.sleep(_NAP_SECONDS)
