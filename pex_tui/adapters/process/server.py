"""The launcher: a small warmed process that forks a shim for every launch an engine asks for.

It holds `launcher.lock` of the state directory, and each shim holds it too until its start record
is on the disk. So once a new engine's launcher has the lock, no launch of an earlier engine can
still be under way.
"""

import ctypes  # noqa: F401  # loaded here once, so that no shim has to
import fcntl
import gc
import os
import signal
import socket
import time
from contextlib import suppress

from pex_tui.adapters.process.messages import LaunchReply, LaunchRequest, SpawnError
from pex_tui.adapters.process.shim import Shim

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
    rest = b""
    while chunk := _receive(engine):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            _fork_shim(LaunchRequest.decode(line), engine, lock)


def _receive(engine: socket.socket) -> bytes:
    """The next bytes of the engine; none when it is gone."""
    try:
        return engine.recv(1 << 18)
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


def _fork_shim(request: LaunchRequest, engine: socket.socket, lock: int) -> None:
    try:
        child = os.fork()
    except OSError as error:
        _tell(engine, LaunchReply(request.id, error=f"cannot fork a shim: {error.strerror}."))
        return
    if child == 0:
        _be_shim(request, engine, lock)
        os._exit(0)


def _be_shim(request: LaunchRequest, engine: socket.socket, lock: int) -> None:
    os.setsid()
    os.chdir("/")
    shim = Shim(request)
    reply = LaunchReply(request.id, error="the shim failed; its launcher.log says why.")
    try:
        reply = LaunchReply(request.id, record=shim.launch())
    except SpawnError as error:
        reply = LaunchReply(request.id, error=str(error), permanent=error.permanent)
    finally:
        os.close(lock)
        _tell(engine, reply)
        engine.close()
    if reply.record is not None:
        shim.keep()


def _tell(engine: socket.socket, reply: LaunchReply) -> None:
    with suppress(OSError):  # an engine that died is told nothing; the next one reads the records
        engine.sendall(reply.encode())
