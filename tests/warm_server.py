"""A process that has imported pex-tui and forks a pex-tui process for each request.

The forked process has its own pid, process group, arguments, environment, folder and descriptors,
and runs what `python -m pex_tui` runs. The server is a script with a socket: a request brings the
streams and a socket for the pid and, once the process has ended, its wait status.
"""

import fcntl
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import termios
import time
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TypedDict

MOST_BYTES = 1 << 17
"""The limit of a request."""


class Request(TypedDict):
    """A request to start pex-tui."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    is_leader: bool
    """Start it in a session of its own."""
    controls: bool
    """Make its stdin the session's terminal."""
    umask: int
    """Negative for the server's."""


def take_terminal() -> None:
    """Make stdin the terminal of the session; end as by its hang-up if it is gone already."""
    try:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    except OSError:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGHUP)


def import_all() -> None:
    """Import all that any command may import."""
    package = importlib.import_module("pex_tui")
    for module in pkgutil.walk_packages(package.__path__, "pex_tui."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def serve(requests: socket.socket) -> tuple[Request, list[int]]:
    """Fork for each request; return, in the forked process, with the request and its streams."""
    living: dict[int, tuple[int, socket.socket]] = {}
    states: set[bytes] = set()
    while True:
        for ready in select.select([requests.fileno(), *living], [], [])[0]:
            if ready in living:
                pid, status = living.pop(ready)
                os.close(ready)
                with status:
                    status.send(b"%d" % os.waitpid(pid, 0)[1])
                continue
            text, descriptors, _, _ = socket.recv_fds(requests, MOST_BYTES, 4)
            if not text:
                for pid, _ in living.values():
                    os.kill(pid, signal.SIGKILL)
                end_agents(states)
                sys.exit()
            request: Request = json.loads(text)
            if state := request["env"].get("XDG_STATE_HOME"):
                states.add(os.fsencode(state))
            if (pid := os.fork()) == 0:
                for other in (requests, *(status for _, status in living.values())):
                    other.close()
                return request, descriptors
            *streams, told = descriptors
            for stream in streams:
                os.close(stream)
            status = socket.socket(fileno=told)
            status.send(b"%d" % pid)
            living[os.pidfd_open(pid)] = pid, status


def end_agents(states: set[bytes]) -> None:
    """Kill the agents of runs with these state directories: their tests are over, or were killed.

    An agent has paths of its run in its environment; shims and launchers end with their agents.
    """
    marks = tuple(b"=" + state + b"/" for state in states if len(state) > 1)
    for entry in Path("/proc").iterdir() if marks else ():
        with suppress(OSError):
            environ = (entry / "environ").read_bytes() if entry.name.isdecimal() else b""
            if b"PEX_TASK=" in environ and any(mark in environ for mark in marks):
                os.kill(int(entry.name), signal.SIGKILL)


def become(request: Request, descriptors: list[int]) -> None:
    """Make this process like an interpreter just started for the request."""
    (os.setsid if request["is_leader"] else os.setpgrp)()
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if request["controls"]:
        take_terminal()
    if request["umask"] >= 0:
        os.umask(request["umask"])
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.path.insert(0, request["cwd"])
    sys.argv = [str(Path(importlib.import_module("pex_tui").__file__ or "")), *request["argv"]]
    sys.stdin = sys.__stdin__ = _stream(0, "rb", sys.stdin)  # type: ignore[misc]  # as it starts
    sys.stdout = sys.__stdout__ = _stream(1, "wb", sys.stdout)  # type: ignore[misc]  # likewise
    sys.stderr = sys.__stderr__ = _stream(2, "wb", sys.stderr)  # type: ignore[misc]  # likewise


def _stream(number: int, mode: str, like: Any) -> TextIOWrapper:
    """Return a standard stream as the interpreter makes it."""
    buffer: Any = open(number, mode, closefd=False)  # noqa: SIM115  # no file, and kept
    by_line = number == 2 or buffer.isatty()
    return TextIOWrapper(buffer, like.encoding, like.errors, "\n", line_buffering=by_line)


if __name__ == "__main__":
    import_all()
    become(*serve(socket.socket(fileno=int(sys.argv[1]))))
    from pex_tui.cli.main import program

    program()
