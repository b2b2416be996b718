"""The launcher: a small warmed process that forks a shim for every launch an engine asks for.

One shim is always forked ahead, so that a launch does not wait for the fork. It ends by itself
when the launcher does.

The launcher holds `launcher.lock` of the state directory, and each shim holds it too until its
start record is on the disk. So once a new engine's launcher has the lock, no launch of an earlier
engine can still be under way.
"""

import ctypes  # noqa: F401  # loaded here once, so that no shim has to
import fcntl
import gc
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress

from pex_tui.adapters.process.kernel import become_subreaper
from pex_tui.adapters.process.messages import LaunchReply, LaunchRequest, SpawnError
from pex_tui.adapters.process.shim import Shim
from pex_tui.adapters.process.signals import Signals

LOCK_PATIENCE_SECONDS = 10.0
_NAP_SECONDS = 0.01


def main(descriptor: int, lock_path: str) -> None:
    """Serve the engine on the other end of the socket until it goes away."""
    os.set_inheritable(descriptor, False)
    engine = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps shims
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = _take_lock(lock_path)
    if lock is None:
        _tell(engine, LaunchReply(0, error=f"{lock_path} is held: another engine starts agents."))
        return
    _tell(engine, LaunchReply(0))
    gc.freeze()  # pages that no collection touches stay shared with all shims
    spare = _Spare(engine, lock)
    rest = b""
    while chunk := _receive(engine):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            spare.launch(line)


def _receive(peer: socket.socket) -> bytes:
    """The next bytes of the other end; none when it is gone."""
    try:
        return peer.recv(1 << 18)
    except ConnectionResetError:
        return b""


def _take_lock(path: str) -> int | None:
    """Wait for the launches of an engine that has died; None when one seems to live on."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_up_at = time.monotonic() + LOCK_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                return None
            time.sleep(_NAP_SECONDS)
        else:
            return lock


class _Spare:
    """The shim that waits for the next launch."""

    def __init__(self, engine: socket.socket, lock: int) -> None:
        self._engine = engine
        self._lock = lock
        self._link: socket.socket | None = None
        with suppress(OSError):  # said when a launch needs it
            self._fork()

    def launch(self, line: bytes) -> None:
        """Have the shim launch what the line asks for, and fork the next one."""
        try:
            self._hand_over(line + b"\n")
        except OSError as error:
            reason = f"cannot fork a shim: {error.strerror}."
            _tell(self._engine, LaunchReply(LaunchRequest.decode(line).id, error=reason))
        else:
            with suppress(OSError):
                self._fork()

    def _hand_over(self, line: bytes) -> None:
        if self._link is not None:
            with suppress(OSError), self._link:  # somebody ended it: another takes its place
                self._link.sendall(line)
                return
        with self._fork() as link:
            link.sendall(line)

    def _fork(self) -> socket.socket:
        self._link = None
        ours, theirs = socket.socketpair()
        with theirs:
            if os.fork() == 0:
                try:
                    ours.close()
                    _be_shim(theirs, self._engine, self._lock)
                finally:
                    if sys.exc_info()[0]:
                        sys.excepthook(*sys.exc_info())
                    os._exit(0)
        self._link = ours
        return ours


def _be_shim(link: socket.socket, engine: socket.socket, lock: int) -> None:
    """Get ready, wait for a request, and keep what it asks for."""
    os.setsid()
    os.chdir("/")
    become_subreaper()
    signals, selector = Signals(), selectors.DefaultSelector()
    with link:
        line = b""
        while not line.endswith(b"\n"):
            chunk = _receive(link)
            if not chunk:
                return  # the launcher has ended
            line += chunk
    request = LaunchRequest.decode(line)
    shim = Shim(request, selector, signals)
    reply = LaunchReply(request.id, error="the shim failed; its launcher.log says why.")
    try:
        reply = LaunchReply(request.id, record=shim.launch())
    except SpawnError as error:
        reply = LaunchReply(request.id, error=str(error), permanent=error.permanent)
    finally:
        os.close(lock)
        _tell(engine, reply)
    if reply.record is not None:
        shim.keep(lambda ending: _mention(engine, LaunchReply(request.id, ending=ending)))


def _mention(engine: socket.socket, reply: LaunchReply) -> None:
    """Tell it if that can be done at once; so short a message goes whole or not at all."""
    with suppress(OSError):
        engine.send(reply.encode(), socket.MSG_DONTWAIT)


def _tell(engine: socket.socket, reply: LaunchReply) -> None:
    with suppress(OSError):  # an engine that died is told nothing; the next one reads the records
        engine.sendall(reply.encode())
