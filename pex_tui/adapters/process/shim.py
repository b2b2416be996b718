"""The shim: one small process per attempt that owns the program's whole process tree.

It outlives the engine, reaps every orphan below it, and exits only when no process of the tree is
left, with a record of how the program ended. It obeys orders on its control socket; SIGTERM asks it
to end the tree, SIGUSR1 to recreate its socket.
"""

import errno
import fcntl
import os
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pex_tui.adapters.limits.cgroup import CgroupBase
from pex_tui.adapters.limits.guard import Guard
from pex_tui.adapters.process.bounded_log import BoundedLog
from pex_tui.adapters.process.control import ControlSocket
from pex_tui.adapters.process.feed import Feed
from pex_tui.adapters.process.fence import read_fence
from pex_tui.adapters.process.messages import LaunchRequest, Order, SpawnError
from pex_tui.adapters.process.records import (
    ALIVE_LOCK,
    EXIT,
    INPUT_LOG,
    MARKER,
    OUTPUT_LOG,
    START,
    ExitRecord,
    StartRecord,
    write_record,
)
from pex_tui.adapters.process.signals import Signals
from pex_tui.adapters.process.spawn import spawn
from pex_tui.adapters.sandbox.temporary import make_temporary, remove_temporary
from pex_tui.adapters.system import tree
from pex_tui.adapters.system.kernel import TABLE
from pex_tui.core.model.sandbox import Tier
from pex_tui.core.network_rules import NetworkRules

if TYPE_CHECKING:  # the launcher starts without it
    from pex_tui.adapters.network.gateway import Gateway

LEFTOVER_GRACE_SECONDS = 0.3  # for processes that a program leaves behind when it exits by itself
_FREEZE_PATIENCE_SECONDS = 5.0
_LONGEST_NAP_SECONDS = 0.05
_DISK_FULL_SECONDS = 0.5
# Bubblewrap, like a shell, ends with 128 + N when signal N ended the program.
_FATAL = frozenset(
    getattr(signal, f"SIG{name}", -1)
    for name in ("ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "SEGV", "TERM", "XCPU", "XFSZ", "SYS")
)
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class Shim:
    """Supervises one attempt until no process of it is left.

    The process must be a subreaper with its signals caught before it gets an attempt.
    """

    def __init__(
        self,
        request: LaunchRequest,
        selector: selectors.BaseSelector,
        signals: Signals,
        base: CgroupBase | None = None,
        cgroup: str = "",
    ) -> None:
        self._request = request
        self._base = base
        self._cgroup = cgroup
        self._guard: Guard | None = None
        self._folder = Path(request.folder)
        self._selector = selector
        self._signals = signals
        self._control = ControlSocket(self._selector, Path(request.control), self._obey)
        self._feed: Feed | None = None
        self._gateway: Gateway | None = None
        self._log: BoundedLog | None = None
        self._look_at = 0.0  # monotonic, of the next look at the log's size
        self._lock = -1
        self._is_ours = False
        self._root = 0
        self._root_status: int | None = None
        self._started: StartRecord | None = None
        self._exited_at = 0.0
        self._exited_monotonic = 0.0
        self._kill_at: float | None = None  # monotonic; set while the tree is being ended
        self._is_paused = False
        self._nap_seconds = 0.001

    def launch(self) -> StartRecord:
        """Start the program under a start record; raise SpawnError with nothing left behind."""
        try:
            self._take_folder()
            return self._spawn(*self._prepare())
        except OSError as error:
            self._give_folder_back()
            raise SpawnError(
                f"cannot keep an agent's records in {self._folder}: {error.strerror or error}.",
                permanent=False,
            ) from error
        except SpawnError:
            self._give_folder_back()
            raise

    def keep(self, tell: Callable[[ExitRecord], None]) -> None:
        """Serve until no process of the tree is left; report how it ended, then write the record.

        The report spares the engine the wait for the disk and for this process to exit.
        """
        limit = self._request.log_limit
        if limit:
            may_cut = not self._request.speaks
            self._log = BoundedLog(self._folder / OUTPUT_LOG, limit, may_cut=may_cut)
        self._outlive_tree()
        if self._log is not None:
            self._log.look()
        if self._guard is not None:
            self._guard.close(self._root_status or 0)
        if self._gateway is not None:
            self._gateway.close()
        self._control.close()
        record = self._exit_record()
        tell(record)
        self._leave_record(record)
        if self._request.sandbox is not None:
            remove_temporary(self._request.sandbox.temporary)

    @property
    def _is_wrapped(self) -> bool:
        sandbox = self._request.sandbox
        return sandbox is not None and sandbox.tier is Tier.BWRAP

    def _outlive_tree(self) -> None:
        while not self._reap():
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                tree.kill_pass([os.getpid()])
            if self._log is not None and time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + self._log.look()
            self._look_at_limits()
            for key, _ in self._selector.select(self._timeout()):
                key.data()

    def _look_at_limits(self) -> None:
        """End a tree that is over a limit: at once, as it would only grow in a time of grace."""
        guard = self._guard
        if guard is None or time.monotonic() < guard.due:
            return
        guard.look(may_run=self._kill_at is None and not self._is_paused)
        if guard.breach is not None and self._kill_at is None:
            self._kill_at = time.monotonic()

    def _take_folder(self) -> None:
        """Reserve the attempt's folder for this shim; raise SpawnError if another has it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self._folder / ALIVE_LOCK, _APPEND, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until this process exits
        except BlockingIOError as error:
            raise SpawnError("this attempt is already running.", permanent=True) from error
        if (self._folder / START).exists():
            raise SpawnError("this attempt was started before.", permanent=True)
        if read_fence(self._folder) > self._request.fence:
            raise SpawnError("this attempt was given up before it could start.", permanent=False)
        self._is_ours = True

    def _give_folder_back(self) -> None:
        """Release the folder of a program that did not start."""
        if self._is_ours:
            self._control.close()
            (self._folder / START).unlink(missing_ok=True)
        if self._lock >= 0:
            os.close(self._lock)
        if self._request.sandbox is not None:
            remove_temporary(self._request.sandbox.temporary)

    def _prepare(self) -> tuple[StartRecord, int]:
        """Prepare for the program; return its record and its open log."""
        output = os.open(self._folder / OUTPUT_LOG, _APPEND, 0o600)
        self._selector.register(self._signals, selectors.EVENT_READ, self._heed_signals)
        self._control.open()
        self._hold_lifeline()
        record = self._start_record()
        write_record(self._folder, START, record, sync=False)
        return record, output

    def _hold_lifeline(self) -> None:
        """Watch the process that the tree may not outlive, if the kernel reports its end."""
        if not (self._request.lifeline and hasattr(os, "pidfd_open")):
            return
        try:
            lifeline = os.pidfd_open(self._request.lifeline)
        except ProcessLookupError:
            self._end(0.0)
            return

        def cut() -> None:
            self._selector.unregister(lifeline)
            os.close(lifeline)
            self._end(self._request.grace_seconds)

        self._selector.register(lifeline, selectors.EVENT_READ, cut)

    def _start_record(self) -> StartRecord:
        itself = TABLE.stat(os.getpid())
        return StartRecord(
            boot_id=TABLE.boot_id(),
            shim_pid=os.getpid(),
            shim_started=itself.started if itself else 0,
            root_pid=0,
            root_started=0,
            started_at=time.time(),
            token=self._request.token,
            control=self._request.control,
            started_monotonic=time.monotonic(),
        )

    def _spawn(self, record: StartRecord, output: int) -> StartRecord:
        request = self._request
        if request.speaks:
            self._feed = Feed(self._selector, self._folder / INPUT_LOG)
            stdin = self._feed.read_end
        else:
            stdin = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        env = {**request.env, MARKER: request.token}
        self._started = record
        if request.sandbox is not None:
            make_temporary(request.sandbox.temporary)
        if request.network is not None:
            self._gateway = self._open_gateway(request.network)
            env |= self._gateway.environment
        guard = Guard(request.limits, request.cwd, self._base, self._cgroup)
        with guard.entered():
            self._root = spawn(
                request.argv, request.cwd, env, stdin, output, request.sandbox, self._gateway
            )
        self._guard = guard
        if self._gateway is not None:
            self._gateway.started()
        os.close(stdin)
        os.close(output)
        root = TABLE.stat(self._root)
        started = record._replace(
            root_pid=self._root,
            root_started=root.started if root else 0,
            tier=guard.tier,
        )
        try:
            write_record(self._folder, START, started, sync=True)
        except OSError:
            self._end(0.0)
            self._outlive_tree()
            raise
        return started

    def _open_gateway(self, rules: NetworkRules) -> "Gateway":
        from pex_tui.adapters.network.gateway import Gateway  # noqa: PLC0415  # rarely needed

        return Gateway(rules, self._folder, is_apart=self._is_wrapped)

    def _reap(self) -> bool:
        """Reap what has ended; return True if no process of the tree is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self._root:
                self._root_status = status
                self._exited_at, self._exited_monotonic = time.time(), time.monotonic()
                if self._kill_at is None:
                    self._kill_at = time.monotonic() + LEFTOVER_GRACE_SECONDS
                    self._ask_to_end()

    def _timeout(self) -> float | None:
        if self._kill_at is None:
            due = [] if self._log is None else [self._look_at]
            due += [] if self._guard is None else [self._guard.due]
            return max(0.0, min(due) - time.monotonic()) if due else None
        left = self._kill_at - time.monotonic()
        if left > 0:
            return left
        self._nap_seconds = min(2 * self._nap_seconds, _LONGEST_NAP_SECONDS)
        return self._nap_seconds

    def _heed_signals(self) -> None:
        numbers = self._signals.take()
        if signal.SIGTERM in numbers:
            self._end(self._request.grace_seconds)
        if signal.SIGUSR1 in numbers:
            with suppress(OSError):  # the engine sees that the socket is not back
                self._control.open()

    def _end(self, grace_seconds: float) -> None:
        """End the tree: ask first, kill after the grace.

        A second call can only shorten the grace.
        """
        kill_at = time.monotonic() + max(0.0, grace_seconds)
        self._kill_at = kill_at if self._kill_at is None else min(self._kill_at, kill_at)
        self._ask_to_end()

    def _ask_to_end(self) -> None:
        """Ask every process of the tree to end, but bubblewrap, whose end kills all of them."""
        tree.terminate(os.getpid(), spared=self._root if self._is_wrapped else 0)

    def _obey(self, order: Order, text: bytes) -> bool:
        match order.verb:
            case "pause":
                return self._kill_at is None and self._freeze()
            case "resume":
                if self._kill_at is None:
                    self._is_paused = False
                    tree.thaw(os.getpid())
                return self._kill_at is None
            case "stop":
                self._end(order.grace_seconds)
                return True
            case "send":
                return self._feed is not None and self._feed.accept(text)
            case "end_input":
                return self._feed is not None and self._feed.end()

    def _freeze(self) -> bool:
        """Freeze the whole tree or none of it: some processes may not be ours to stop."""
        if self._guard is not None:
            self._guard.release()  # or it would take a stopped tree for one that it stopped
        self._is_paused = tree.freeze(os.getpid(), _FREEZE_PATIENCE_SECONDS)
        if self._is_paused:
            return True
        tree.thaw(os.getpid())
        return False

    def _exit_record(self) -> ExitRecord:
        status, started = self._root_status or 0, self._started
        exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        if self._is_wrapped and (exit_code or 0) - 128 in _FATAL:
            exit_code, number = None, (exit_code or 0) - 128
        status, started, guard = self._root_status or 0, self._started, self._guard
        breach = guard.breach if guard else None
        return ExitRecord(
            exit_code=exit_code,
            signal=number,
            started_at=started.started_at if started else 0.0,
            exited_at=self._exited_at,
            boot_id=started.boot_id if started else "",
            started_monotonic=started.started_monotonic if started else None,
            exited_monotonic=self._exited_monotonic,
            tier=guard.tier if guard else "",
            over=breach.subject if breach else "",
            limit=breach.limit if breach else 0,
            peak=breach.peak if breach else 0,
            peak_bytes=(guard.peak_bytes or None) if guard else None,
            cpu_seconds=guard.cpu_seconds if guard else None,
        )

    def _leave_record(self, record: ExitRecord) -> None:
        while True:
            try:
                write_record(self._folder, EXIT, record, sync=True)
            except OSError as error:
                if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                    return  # the run's folder was removed: nobody waits for the record
                time.sleep(_DISK_FULL_SECONDS)  # the tree is gone; its slot is held until then
            else:
                return
