"""pex-tui as a process of its own, without the cost of its imports each time.

It is forked from a warm server, one per test process. `cold=True` starts an interpreter: for tests
of imports at start-up or of process identity. Environment variables that an interpreter reads at
its start are the server's, so there is a server for each such set. With COLD_STARTS in the tests'
environment, all starts are cold.
"""

import atexit
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests import warm_server
from tests.waiting import PATIENCE_SECONDS

PROGRAM = (sys.executable, "-m", "pex_tui")
_READ_AT_START = ("PYTHON", "LANG", "LC_", "TZ", "TEXTUAL", "ESCDELAY", "TERM_PROGRAM")
_CAN_FORK = hasattr(os, "pidfd_open") and "COLD_STARTS" not in os.environ  # Linux has it


class PexProcess(subprocess.Popen[str]):
    """A started pex-tui with text pipes.

    One that `controls` has its stdin as terminal. Another `program`, and any `preexec_fn`, is a
    cold start.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        program: Sequence[str] = (),
        cold: bool = False,
        controls: bool = False,
        start_new_session: bool = False,
        umask: int = -1,
        preexec_fn: Callable[[], object] | None = None,
        **streams: Any,
    ) -> None:
        environ = dict(os.environ if env is None else env)
        is_cold = cold or program or preexec_fn or not _CAN_FORK
        self._server = None if is_cold else _server_for(environ)
        self._request = warm_server.Request(
            argv=list(argv),
            cwd=str(cwd),
            env=environ,
            is_leader=start_new_session,
            controls=controls,
            umask=umask,
        )
        super().__init__(
            [*(program or PROGRAM), *argv],
            cwd=cwd,
            env=environ,
            text=True,
            start_new_session=start_new_session,
            umask=umask,
            preexec_fn=warm_server.take_terminal if controls else preexec_fn,  # no threads here
            **streams,
        )

    def _execute_child(self, *given: Any) -> None:
        """Ask the server for the process; `Popen` has made the pipes."""
        if self._server is None:
            super()._execute_child(*given)  # type: ignore[misc]  # typeshed has what is public
            return
        ends = given[10:16]  # of in, out and err: the child's end, and ours
        streams = [max(end, number) for number, end in enumerate((ends[0], ends[3], ends[5]))]
        self._status, status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with status:
            self._server.ask(self._request, [*streams, status.fileno()])
        self.pid = int(self._status.recv(64))
        self._child_created = True
        self._close_pipe_fds(*ends)  # type: ignore[attr-defined]  # likewise

    def _internal_poll(self, *given: Any, **options: Any) -> int | None:
        if self._server is None:
            code: int | None = super()._internal_poll(*given, **options)  # type: ignore[misc]  # likewise
            return code
        self._look(0.0)
        return self.returncode

    def _wait(self, timeout: float | None) -> int:
        if self._server is None:
            code: int = super()._wait(timeout)  # type: ignore[misc]  # likewise
            return code
        self._look(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self.returncode

    def _look(self, seconds: float | None) -> None:
        """Note how the process ended, if it does within so many seconds."""
        if self.returncode is None and select.select([self._status], [], [], seconds)[0]:
            self.returncode = os.waitstatus_to_exitcode(int(self._status.recv(64)))
            self._status.close()


def run_pex(
    *argv: str, cwd: Path, env: Mapping[str, str] | None = None, stdin: str = "", **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run pex-tui to its end with this input; capture its output."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with PexProcess(argv, cwd=cwd, env=env, **{**pipes, **options}) as process:
        try:
            said = process.communicate(stdin, PATIENCE_SECONDS)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, *said)


class _Server:
    """A warm server; it ends when its socket is closed."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", warm_server.__file__, str(theirs.fileno())],
                env=env,
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        atexit.register(self._end, os.getpid())

    def ask(self, request: warm_server.Request, descriptors: list[int]) -> None:
        """Have a process started with these streams, and a socket for its pid and status."""
        socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)

    def _end(self, owner: int) -> None:
        if os.getpid() == owner:
            self._socket.close()
            self._process.wait()


_servers: dict[tuple[tuple[str, str], ...], _Server] = {}


def _server_for(environ: Mapping[str, str]) -> _Server:
    read = {name: environ[name] for name in sorted(environ) if name.startswith(_READ_AT_START)}
    key = tuple(read.items())
    if key not in _servers:
        _servers[key] = _Server(read)
    return _servers[key]
