"""The launcher: a small warmed-up process that forks a shim for each launch request.

One shim is always forked ahead, so that a launch does not wait for the fork; it exits with the
launcher.

The launcher inherits what a killed shim leaves behind, in whatever session or environment, and ends
it. It therefore lives as long as any of its shims, even without its engine.
"""

import ctypes  # noqa: F401  # loaded here once, so that no shim has to
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress

from pex_tui.adapters.limits.cgroup import CgroupBase
from pex_tui.adapters.limits.tiers import cgroup_name, find_base, sweep
from pex_tui.adapters.process.messages import LaunchReply, LaunchRequest, SpawnError
from pex_tui.adapters.process.shim import Shim
from pex_tui.adapters.process.signals import Signals, use_defaults
from pex_tui.adapters.sandbox.temporary import remove_temporary
from pex_tui.adapters.system import tree
from pex_tui.adapters.system.kernel import TABLE, become_subreaper, send_signal

_NAP_SECONDS = 0.002
_SWEEP_SECONDS = 10.0  # of a process that may not be signalled


def main(descriptor: int) -> None:
    """Serve the engine at the other end of the socket until it exits, then wait for the shims."""
    os.set_inheritable(descriptor, False)
    engine = socket.socket(fileno=descriptor)
    use_defaults()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    become_subreaper()
    base = find_base()
    if base is not None:
        sweep(base)
    _tell(engine, LaunchReply(0))
    gc.freeze()  # memory pages that no collection touches stay shared with all shims
    nursery = _Nursery(engine, base)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(engine, selectors.EVENT_READ, engine)
        selector.register(nursery.deaths, selectors.EVENT_READ, nursery.deaths)
        while True:
            ready = {key.data for key, _ in selector.select()}
            if nursery.deaths in ready:
                nursery.reap()
            if engine in ready:
                chunk = _receive(engine)
                if not chunk:
                    break
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    nursery.launch(line)
    nursery.outlive_shims()


def _receive(peer: socket.socket) -> bytes:
    """Return the next bytes of the peer; empty when it is gone."""
    try:
        return peer.recv(1 << 18)
    except ConnectionResetError:
        return b""


class _Deaths:
    """A file descriptor that is readable when a child has ended."""

    def __init__(self) -> None:
        self._pipe, wakeup = os.pipe()
        os.set_blocking(self._pipe, False)
        os.set_blocking(wakeup, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)

    def fileno(self) -> int:
        return self._pipe

    def forget(self) -> None:
        """Drain the notifications: the children are about to be reaped."""
        with suppress(BlockingIOError):
            os.read(self._pipe, 4096)


class _Nursery:
    """The shims: the busy ones, and one that waits for the next launch."""

    def __init__(self, engine: socket.socket, base: CgroupBase | None) -> None:
        self._base = base
        self._launcher = os.getpid()
        self._cgroups: dict[int, str] = {}  # the name of each shim's cgroup, by its pid
        self._ended: list[str] = []
        self._count = 0
        self.deaths = _Deaths()
        self._engine = engine
        self._link: socket.socket | None = None
        self._waiting = 0  # the pid of the waiting one
        self._shims: dict[int, int] = {}  # the request that each pid serves, 0 for none
        self._temporary: dict[int, str] = {}  # the private folder of each request that has one
        with suppress(OSError):  # reported when a launch needs it
            self._fork()

    def launch(self, line: bytes) -> None:
        """Have the shim launch what the line requests, and fork the next one."""
        fields = json.loads(line)
        request = int(fields["id"])
        try:
            self._hand_over(line + b"\n")
        except OSError as error:
            reason = f"cannot fork a shim: {error.strerror}."
            _tell(self._engine, LaunchReply(request, error=reason))
        else:
            self._shims[self._waiting] = request
            if fields["sandbox"]:
                self._temporary[request] = fields["sandbox"]["temporary"]
            with suppress(OSError):
                self._fork()

    def reap(self) -> None:
        """Reap ended children, and end what a dead shim left to this process."""
        self.deaths.forget()
        gone: list[int] = []
        give_up_at = time.monotonic() + _SWEEP_SECONDS
        while True:
            has_children = self._bury(gone)
            strays = [pid for pid in TABLE.children(os.getpid()) if pid not in self._shims]
            if not has_children or not strays or time.monotonic() > give_up_at:
                break
            _kill(strays)
            time.sleep(_NAP_SECONDS)
        if self._base is not None:
            for name in filter(None, self._ended):
                self._base.cgroup(name).remove()
        self._ended.clear()
        for request in gone:
            if folder := self._temporary.pop(request, ""):
                remove_temporary(folder)  # a shim that was killed left it
            _tell(self._engine, LaunchReply(request, swept=True))

    def outlive_shims(self) -> None:
        """Serve no more requests, and wait for the shims that are busy."""
        self._engine.close()  # from now on, sending to it fails, which nobody minds
        for pid, request in self._shims.items():
            # A shim stopped before it started anything finds its fence raised.
            os.kill(pid, signal.SIGCONT if request else signal.SIGKILL)
        with selectors.DefaultSelector() as selector:
            selector.register(self.deaths, selectors.EVENT_READ)
            while True:
                self.reap()
                if not self._shims:
                    return
                selector.select()

    def _bury(self, gone: list[int]) -> bool:
        """Reap what can be reaped; return False if there is no child left."""
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self._ended.append(self._cgroups.pop(pid, ""))
            request = self._shims.pop(pid, 0)
            if request:
                gone.append(request)

    def _hand_over(self, line: bytes) -> None:
        if self._link is not None:
            with suppress(OSError), self._link:  # somebody ended it: another takes its place
                self._link.sendall(line)
                return
        with self._fork() as link:
            link.sendall(line)

    def _fork(self) -> socket.socket:
        self._link = None
        self._count += 1
        cgroup = cgroup_name(self._launcher, self._count)
        ours, theirs = socket.socketpair()
        with theirs:
            pid = os.fork()
            if pid == 0:
                try:
                    ours.close()
                    _be_shim(theirs, self._engine, self._base, cgroup)
                finally:
                    if sys.exc_info()[0]:
                        sys.excepthook(*sys.exc_info())
                    os._exit(0)
        self._shims[pid] = 0
        self._cgroups[pid] = cgroup
        self._waiting = pid
        self._link = ours
        return ours


def _kill(strays: list[int]) -> None:
    """Kill processes and all below them; stop them first, so that none forks away."""
    stats = {pid: stat for pid in strays if (stat := TABLE.stat(pid)) and not stat.is_dead}
    for number in (signal.SIGSTOP, signal.SIGKILL):
        if number == signal.SIGKILL:
            tree.kill_pass(list(stats))
        for pid, stat in stats.items():
            send_signal(pid, number, stat)


def _be_shim(
    link: socket.socket, engine: socket.socket, base: CgroupBase | None, cgroup: str
) -> None:
    """Be a shim: prepare, wait for a request, and serve the attempt that it asks for."""
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
    shim = Shim(request, selector, signals, base, cgroup)
    reply = LaunchReply(request.id, error="the shim failed; its launcher.log says why.")
    try:
        reply = LaunchReply(request.id, record=shim.launch())
    except SpawnError as error:
        reply = LaunchReply(request.id, error=str(error), permanent=error.permanent)
    finally:
        _tell(engine, reply)
    if reply.record is not None:
        shim.keep(lambda ending: _mention(engine, LaunchReply(request.id, ending=ending)))


def _mention(engine: socket.socket, reply: LaunchReply) -> None:
    """Report to the engine if that is possible at once.

    Such a short message is sent whole or not at all.
    """
    with suppress(OSError):
        engine.send(reply.encode(), socket.MSG_DONTWAIT)


def _tell(engine: socket.socket, reply: LaunchReply) -> None:
    with suppress(OSError):  # a dead engine is told nothing; the next one reads the records
        engine.sendall(reply.encode())
