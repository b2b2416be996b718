"""Run a command while holding named locks: the client of the agents' socket.

If the engine ends, a client that waits for locks or holds them reconnects to the next engine with
the same claim. The command inherits the connection, so that the locks stay held until it has ended,
even if the surrounding process is killed. After a regular end the locks are released explicitly,
even if the command left processes running.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct, field

WITHIN = "PEX_LOCKS"  # in its environment: the claims a command runs under
NOT_FOUND, NOT_EXECUTABLE = 127, 126  # as shells have it
_RETRY_SECONDS = 0.3
_FORWARDED = (signal.SIGTERM, signal.SIGHUP)
_SIGNALLED = 128  # plus the signal's number, as shells have it


class LockRefused(Exception):  # noqa: N818  # an answer, not a fault
    """The locks were refused; the text gives the reason."""


class _Away(Exception):  # noqa: N818  # a state that passes
    """No engine is listening."""


class Claim(Struct, frozen=True):
    """An attempt's claim on locks, all or none; `wait_seconds` is None to wait indefinitely.

    `path` is the agents' socket, `tell` prints a line for a person.
    """

    path: str
    task: str
    attempt: int
    token: str
    locks: tuple[str, ...]
    tell: Callable[[str], None]
    is_shared: bool = False
    wait_seconds: float | None = None
    within: tuple[str, ...] = ()
    name: str = field(default_factory=lambda: secrets.token_hex(8))

    def request(self, wait_seconds: float | None) -> dict[str, Any]:
        """Return the request for the engine."""
        mode = "shared" if self.is_shared else "exclusive"
        return {
            "task": self.task,
            "attempt": self.attempt,
            "token": self.token,
            "claim": self.name,
            "locks": [{"name": lock, "mode": mode} for lock in self.locks],
            "within": list(self.within),
            "wait": wait_seconds,
        }


def run_holding(claim: Claim, command: Sequence[str]) -> int:
    """Run the command once the locks are granted; return its exit code. Raise LockRefused."""
    connection = _acquire(claim)
    env = {**os.environ, WITHIN: ",".join((*claim.within, claim.name))}
    try:
        process = subprocess.Popen(command, env=env, pass_fds=(connection.fileno(),))
    except FileNotFoundError:
        claim.tell(f"{command[0]}: there is no such program")
        return NOT_FOUND
    except OSError as error:
        claim.tell(f"{command[0]}: {error.strerror}")
        return NOT_EXECUTABLE
    keeper = _Keeper(claim, connection)
    threading.Thread(target=keeper.keep, daemon=True).start()
    code = _see_to_its_end(process)
    keeper.release()
    return code if code >= 0 else _SIGNALLED - code


def _see_to_its_end(process: "subprocess.Popen[bytes]") -> int:
    """Wait for the command, and pass on signals, which are meant for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to both
    for number in _FORWARDED:
        signal.signal(number, lambda sent, _: process.send_signal(sent))
    return process.wait()


def _acquire(claim: Claim) -> socket.socket:
    until = None if claim.wait_seconds is None else time.monotonic() + claim.wait_seconds
    told = False
    while True:
        left = None if until is None else max(0.0, until - time.monotonic())
        try:
            return _ask(claim, left)
        except _Away:
            if left == 0.0:
                raise LockRefused("no engine drives the run right now") from None
        if not told:
            claim.tell("no engine drives the run right now; waiting for the next one")
            told = True
        time.sleep(_RETRY_SECONDS)


def _ask(claim: Claim, wait_seconds: float | None) -> socket.socket:
    """Return the connection on which the locks were granted; raise _Away or LockRefused."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(claim.path)
        connection.sendall(json.dumps(claim.request(wait_seconds)).encode() + b"\n")
        answer = json.loads(_line(connection))
    except (OSError, ValueError) as error:
        connection.close()
        raise _Away from error
    if not answer.get("granted"):
        connection.close()
        raise LockRefused(str(answer.get("refused", "the engine gave no answer")))
    return connection


def _line(connection: socket.socket) -> bytes:
    """Return the next line; empty at the end of the connection."""
    read = b""
    while not read.endswith(b"\n"):
        more = connection.recv(4096)
        if not more:
            return b""
        read += more
    return read


class _Keeper:
    """Renews the claim with each new engine while the command runs."""

    def __init__(self, claim: Claim, connection: socket.socket) -> None:
        self._claim = claim
        self._connection = connection
        self._is_over = False

    def keep(self) -> None:
        """Watch the connection until the command has ended."""
        while not self._is_over:
            with suppress(OSError):
                _line(self._connection)
            if self._is_over:
                return
            try:
                self._connection = _ask(self._claim, None)
            except _Away:
                time.sleep(_RETRY_SECONDS)
            except LockRefused as refused:
                self._claim.tell(f"the lock was lost while an engine was away: {refused}")
                return

    def release(self) -> None:
        """Release the locks."""
        self._is_over = True
        with suppress(OSError):
            self._connection.sendall(b'{"release": true}\n')
            self._connection.close()


def print_marked(text: str) -> None:
    """Print a line to stderr, marked as ours."""
    sys.stderr.write(f"pex-tui lock: {text}\n")
