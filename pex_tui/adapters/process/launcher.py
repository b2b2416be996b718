"""The engine's end of the launcher: started on first use, restarted if it dies."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from pex_tui.adapters.limits.scopes import scope_environment, stay_in_session
from pex_tui.adapters.limits.tiers import scope_prefix
from pex_tui.adapters.process.fence import wake
from pex_tui.adapters.process.messages import LaunchReply, LaunchRequest
from pex_tui.adapters.process.records import ExitRecord, StartRecord, read_start
from pex_tui.adapters.process.watch import Watch
from pex_tui.adapters.system.kernel import TABLE, ProcTable
from pex_tui.engine.attempt import LaunchError

_BOOT = (
    "import sys; sys.path += sys.argv[2:];"
    "from pex_tui.adapters.process.server import main; main(int(sys.argv[1]))"
)
_NEEDED = frozenset(
    {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}
)
_READY_SECONDS = 20.0
_LAUNCH_SECONDS = 5.0
_LOOK_SECONDS = 0.25

# Launchers of this process that may still have shims, and what stays in the session for them.
_LEAVING: list[subprocess.Popen[bytes]] = []

Ending = asyncio.Future[ExitRecord]


class LauncherDiedError(Exception):
    """The launcher or the shim died before it answered; the records show whether it launched."""


class Launcher:
    """Starts shims, which are children of the launcher and never of the engine."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._link: _Link | None = None
        self._watch: Watch | None = None
        self._starting = asyncio.Lock()
        self._last_id = 0

    @property
    def pid(self) -> int | None:
        """The launcher's pid, None before its start."""
        return self._process.pid if self._process else None

    async def launch(self, request: LaunchRequest) -> tuple[StartRecord, Ending]:
        """Have a shim start the program; raise LaunchError or LauncherDiedError.

        The ending is set as soon as no process of the program's tree is left. It is cancelled once
        all that a killed shim left behind is gone, or when the launcher dies. A launcher that does
        not answer counts as dead.
        """
        link = await self._connected()
        try:
            reply, ending = await link.ask(request, lambda: self._wake(Path(request.folder)))
        except TimeoutError as error:
            link.lose()  # abandoned to the shims it has
            raise LauncherDiedError from error
        if reply.record is None:
            raise LaunchError(reply.error, permanent=reply.permanent)
        return reply.record, ending

    def next_id(self) -> int:
        """Return a number for the next request; 0 is the launcher's own."""
        self._last_id += 1
        return self._last_id

    async def close(self) -> None:
        """Disconnect from the launcher, which stays with its shims and their agents."""
        self._hang_up()
        self._bury()

    def _wake(self, folder: Path | None = None) -> None:
        """Continue a launcher, and a shim about to start something, that somebody stopped."""
        if folder is not None:
            wake(read_start(folder))
        if self._process is not None:
            stat = TABLE.stat(self._process.pid)
            if stat is not None and stat.is_stopped and self._process.poll() is None:
                self._process.send_signal(signal.SIGCONT)

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    async def _connected(self) -> "_Link":
        async with self._starting:
            if self._link is None or self._link.is_lost:
                self._hang_up()
                self._bury()
                self._link = await self._start()
            return self._link

    async def _start(self) -> "_Link":
        scope = await asyncio.to_thread(scope_prefix)
        ours, theirs = socket.socketpair()
        try:
            self._process = self._spawn(theirs, scope)
        except OSError as error:
            ours.close()
            raise LaunchError(
                f"cannot start the agent launcher in {self._root}: {error}.", permanent=False
            ) from error
        finally:
            theirs.close()
        loop = asyncio.get_running_loop()
        _, link = await loop.create_unix_connection(_Link, sock=ours)
        try:
            hello = await _patiently(link.hello, _READY_SECONDS, self._wake)
        except (TimeoutError, LauncherDiedError) as error:
            link.close()
            raise LaunchError(
                f"the agent launcher did not start; {self._log_path} says why.", permanent=False
            ) from error
        if hello.error:
            link.close()
            raise LaunchError(hello.error, permanent=False)
        itself = TABLE.stat(self._process.pid)
        if itself is None:
            link.lose()
        else:  # the shims hold the other end of the link as well: its closing would show too late
            self._watch = Watch(self._process.pid, itself, link.lose)
        return link

    def _spawn(self, theirs: socket.socket, scope: tuple[str, ...]) -> subprocess.Popen[bytes]:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = str(theirs.fileno())
        flags = ["-I", "-S", "-X", f"utf8={sys.flags.utf8_mode}"]
        variables = scope_environment() if scope else {}
        stdin = subprocess.DEVNULL
        if variables:  # a user's systemd
            keeper, stdin = stay_in_session()  # until the launcher and its shims have ended
            _LEAVING.append(keeper)
        try:
            with self._log_path.open("ab") as log:
                return subprocess.Popen(
                    [*scope, sys.executable, *flags, "-c", _BOOT, descriptor, *_import_paths()],
                    stdin=stdin,
                    stdout=log,
                    stderr=log,
                    pass_fds=(theirs.fileno(),),
                    env={**_environment(), **variables},
                    start_new_session=True,
                )
        finally:
            if stdin != subprocess.DEVNULL:
                os.close(stdin)

    @property
    def _log_path(self) -> Path:
        return self._root / "launcher.log"

    def _bury(self) -> None:
        """Reap launchers that have ended; one that still has shims ends with the last of them."""
        if self._process is not None:
            _LEAVING.append(self._process)
            self._process = None
        _LEAVING[:] = [process for process in _LEAVING if process.poll() is None]


class _Link(asyncio.Protocol):
    """The socket to one launcher process, and its unanswered requests."""

    def __init__(self) -> None:
        self.hello: asyncio.Future[LaunchReply] = asyncio.get_running_loop().create_future()
        self.is_lost = False
        self._waiting: dict[int, asyncio.Future[LaunchReply]] = {0: self.hello}
        self._endings: dict[int, Ending] = {}
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            reply = LaunchReply.decode(line)
            if reply.ending is not None or reply.swept:
                ending = self._endings.pop(reply.id, None)
                if ending is not None and not ending.done():
                    if reply.ending is None:
                        ending.cancel()
                    else:
                        ending.set_result(reply.ending)
                if reply.swept:
                    self._lose_request(reply.id)
                continue
            future = self._waiting.pop(reply.id, None)
            if future is not None and not future.done():
                future.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self.lose()

    def lose(self) -> None:
        """Fail all requests: the launcher is gone, and the records show what was launched."""
        self.is_lost = True
        for ending in self._endings.values():
            ending.cancel()
        self._endings.clear()
        for request in self._waiting:
            self._lose_request(request)
        self._waiting.clear()

    def _lose_request(self, request: int) -> None:
        """Fail a request whose launcher is gone, or whose shim was killed before it answered."""
        future = self._waiting.get(request)
        if future is not None and not future.done():
            future.set_exception(LauncherDiedError())
            future.exception()  # marked as retrieved: nobody may be waiting for the request

    async def ask(
        self, request: LaunchRequest, wake: Callable[[], None]
    ) -> tuple[LaunchReply, Ending]:
        """Send the request and wait for its reply; raise LauncherDiedError or TimeoutError."""
        if self.is_lost or self._transport is None:
            raise LauncherDiedError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[LaunchReply] = loop.create_future()
        self._waiting[request.id] = future
        self._endings[request.id] = ending = loop.create_future()
        self._transport.write(request.encode())
        try:
            return await _patiently(future, _LAUNCH_SECONDS, wake), ending
        finally:
            self._waiting.pop(request.id, None)

    def close(self) -> None:
        """Disconnect; the launcher ends when it notices."""
        self.is_lost = True
        if self._transport is not None:
            self._transport.close()


async def _patiently(
    reply: asyncio.Future[LaunchReply], seconds: float, wake: Callable[[], None]
) -> LaunchReply:
    """Return the reply, waking a launcher that was stopped; raise TimeoutError if none comes."""
    give_up_at = asyncio.get_running_loop().time() + seconds
    while not reply.done():
        left = give_up_at - asyncio.get_running_loop().time()
        if left <= 0:
            raise TimeoutError
        await asyncio.wait({reply}, timeout=min(left, _LOOK_SECONDS))
        if not reply.done():
            wake()
    return reply.result()


def _environment() -> dict[str, str]:
    """Return the needed variables only: agents can read the environment of shims."""
    return {name: value for name, value in os.environ.items() if name in _NEEDED}


def _import_paths() -> list[str]:
    """Return the import paths of this package and psutil: the launcher has no site-packages."""
    package = Path(__file__).resolve().parents[3]
    paths = [os.fspath(package)]
    if not isinstance(TABLE, ProcTable):
        spec = find_spec("psutil")
        if spec is not None and spec.origin is not None:
            paths.append(os.fspath(Path(spec.origin).parents[1]))
    return paths
