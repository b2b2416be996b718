"""The agent runner: start, adopt, watch and steer attempts through their shims."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import astuple

from pex_tui.adapters.limits.values import LimitRequest
from pex_tui.adapters.network.refused_log import RefusedHosts
from pex_tui.adapters.process.client import give_order
from pex_tui.adapters.process.fence import give_up, is_alive, read_fence, wake
from pex_tui.adapters.process.launcher import Ending, Launcher, LauncherDiedError
from pex_tui.adapters.process.messages import LaunchRequest, Order
from pex_tui.adapters.process.moments import Moments
from pex_tui.adapters.process.records import (
    OUTPUT_LOG,
    START,
    StartRecord,
    read_exit,
)
from pex_tui.adapters.process.runtime import socket_folder
from pex_tui.adapters.process.strays import end_nameless, end_strays
from pex_tui.adapters.process.watch import Watch
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.adapters.system.kernel import TABLE, Stat, send_signal
from pex_tui.core.formatting import size
from pex_tui.engine.attempt import (
    AttemptKey,
    Exited,
    Launch,
    LaunchError,
    Progress,
    Started,
)
from pex_tui.engine.run_paths import RunPaths
from pex_tui.logs.progress import LogTail

_LOOK_SECONDS = 0.25  # between two looks at a log
_REST_SECONDS = 1.0  # between two looks at an idle log
_QUIET_LOOKS = 12  # looks without news, after which a log counts as idle
_LEAVING_SECONDS = 1.0  # from a shim's record to its end
_NAP_SECONDS = 0.02
_REBIND_TRIES = 25
_GUARD_SECONDS = 1.0
_STUCK_SECONDS = 20.0  # beyond the grace, for a shim that is stopped again and again
_TRIES = 2  # of a launch whose launcher died or did not answer
_SWEEP_SECONDS = 15.0  # for the launcher to end what a killed shim left behind


class _Attempt(Struct):
    """An attempt that this runner started or adopted."""

    folder: Path
    record: StartRecord
    watch: Watch
    refused: RefusedHosts
    ending: Ending | None = None  # of one that this runner started
    outcome: Exited | None = None
    floods: bool = False  # it printed more than is kept, and that was reported
    was_stopped: bool = False  # its shim was stopped by somebody
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    def told(self, ending: Ending, moments: Moments) -> None:
        """Note the ending that the shim reports before it records it and exits."""
        if not ending.cancelled():
            self.outcome = moments.exited(ending.result())
            self.watch.close()
            self.watch.gone.set()

    @property
    def shim(self) -> Stat:
        """The shim's identity at its start, for checks against a reused pid."""
        return Stat("S", 0, self.record.shim_pid, self.record.shim_started)


class ShimRunner:
    """Process trees under shims that outlive this engine; one runner for each state directory."""

    def __init__(self, places: RunPaths, clock: SystemClock, *, log_limit: int = 0) -> None:
        self._log_limit = log_limit
        self.say: Callable[[str], None] = lambda _: None  # receives notices for a person
        self._places = places
        self._moments = Moments(clock)
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._launcher = Launcher(places.root)
        self._attempts: dict[AttemptKey, _Attempt] = {}
        self._starting: dict[AttemptKey, Path] = {}

    @property
    def launcher_pid(self) -> int | None:
        """The pid of the process that forks the shims, None before the first start."""
        return self._launcher.pid

    async def start(self, launch: Launch) -> Started:
        """Start an attempt under a shim of its own; raise LaunchError."""
        if not launch.argv:
            raise LaunchError("there is no command to start.", permanent=True)
        folder = self._folder(launch.key)
        self._starting[launch.key] = folder
        try:
            record, ending = await self._launched(launch, folder)
        finally:
            del self._starting[launch.key]
        attempt = _follow(folder, record)
        if ending is not None:
            attempt.ending = ending
            ending.add_done_callback(lambda ended: attempt.told(ended, self._moments))
        self._keep(launch.key, attempt)
        return self._moments.started(record)

    async def _launched(self, launch: Launch, folder: Path) -> tuple[StartRecord, Ending | None]:
        """Start the attempt exactly once, even if the launcher dies; raise LaunchError."""
        for _ in range(_TRIES):
            try:
                return await self._launcher.launch(self._request(launch, folder))
            except LauncherDiedError:
                made = await _give_up(folder)
                if made is not None:
                    return made, None
        raise LaunchError(
            f'the agent launcher died twice while starting "{launch.argv[0]}".', permanent=False
        )

    async def adopt(self, key: AttemptKey) -> Started | Exited | None:
        """Find what an earlier engine started: alive, ended, or None if it never started."""
        folder = self._folder(key)
        record = await _give_up(folder)
        if record is None:
            await asyncio.to_thread(end_nameless, key)
            return self._moments.lost(None) if (folder / START).exists() else None
        attempt = await _find_alive(folder, record)
        if attempt is not None:
            self._keep(key, attempt)
            return self._moments.started(record)
        return await self._outcome(folder, record)

    async def wait(self, key: AttemptKey) -> Exited:
        """Return once no process of the attempt is left; raise LaunchError if it never started."""
        attempt = self._attempts.get(key)
        if attempt is None:
            found = await self.adopt(key)
            if isinstance(found, Exited):
                return found
            if found is None:
                raise LaunchError(
                    f'attempt {key.attempt} of "{key.task}" never started.', permanent=False
                )
            attempt = self._attempts[key]
        await attempt.watch.gone.wait()
        self._look_at_logs(key, attempt)
        if attempt.ending is not None and attempt.outcome is None:
            await asyncio.wait({attempt.ending}, timeout=_SWEEP_SECONDS)
        if attempt.outcome is None:
            attempt.outcome = await self._outcome(attempt.folder, attempt.record)
        return attempt.outcome

    async def reports(self, key: AttemptKey) -> AsyncIterator[Progress]:
        """Yield progress from the output: at most four times a second, and once at its end."""
        attempt = self._attempts.get(key)
        if attempt is None:
            return
        tail = LogTail(attempt.folder / OUTPUT_LOG)
        gone = attempt.watch.gone
        looked_in_vain, is_over = 0, False
        while not is_over:
            is_over = gone.is_set()
            wait = _LOOK_SECONDS if looked_in_vain < _QUIET_LOOKS else _REST_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await gone.wait()
            seen = tail.look()
            looked_in_vain += 1
            if seen is not None:
                looked_in_vain = 0
                yield seen

    async def pause(self, key: AttemptKey) -> bool:
        """Freeze the whole tree; return True once all of it is frozen, False if it has ended.

        Also returns False, with nothing frozen, if a process may not be stopped; this is reported.
        """
        if await self._order_in_time(key, Order("pause")):
            return True
        attempt = self._attempts.get(key)
        if attempt is not None and not attempt.watch.gone.is_set():
            self.say(
                f"{key.task} could not be paused and keeps running: one of its processes can't be "
                "stopped, perhaps because it runs as another user."
            )
        return False

    async def resume(self, key: AttemptKey) -> bool:
        """Continue the tree; return False if it is ending or has ended."""
        return await self._order_in_time(key, Order("resume"))

    async def stop(self, key: AttemptKey, grace_seconds: float) -> None:
        """Have the shim end the tree, frozen or not; return at once while the shim does it."""
        starting = self._starting.get(key)
        if starting is not None:
            await _give_up(starting)  # if it has started anyway, it is stopped once that is known
            return
        attempt = self._attempts.get(key)
        if attempt is not None:
            self._begin(self._insist(attempt, grace_seconds), f"end of {key.task}/{key.attempt}")
        if await self._order_in_time(key, Order("stop", grace_seconds)):
            return
        if attempt is not None and not attempt.watch.gone.is_set():
            # A shim that does not answer still obeys a signal, unless somebody stopped it.
            for number in (signal.SIGTERM, signal.SIGCONT):
                send_signal(attempt.record.shim_pid, number, attempt.shim)

    async def send(self, key: AttemptKey, text: bytes) -> bool:
        """Send bytes to a program with a protocol; return True once the shim has logged them.

        The shim delivers logged bytes exactly once, even if this engine dies. Returns False if the
        program's stdin is closed or the program has ended. Raises TimeoutError if the shim does not
        answer; `input.log` then shows whether it took them.
        """
        attempt = self._attempts.get(key)
        if attempt is None:
            return False
        async with attempt.sending:
            return await self._order(key, Order("send", size=len(text)), text)

    async def end_input(self, key: AttemptKey) -> bool:
        """Close the stdin of a program with a protocol, once it has read what was sent."""
        return await self._order_in_time(key, Order("end_input"))

    async def close(self) -> None:
        """Let go of all attempts, which keep running."""
        jobs, self._jobs = list(self._jobs.values()), {}
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        for attempt in self._attempts.values():
            attempt.watch.close()
        self._attempts.clear()
        await self._launcher.close()

    def _keep(self, key: AttemptKey, attempt: _Attempt) -> None:
        self._attempts[key] = attempt
        self._begin(self._guard(), "guard of shims")

    def _begin(self, job: Coroutine[Any, Any, None], name: str) -> None:
        """Run it in the background, unless it is already running."""
        if name in self._jobs:
            job.close()
            return
        self._jobs[name] = task = asyncio.create_task(job, name=name)
        task.add_done_callback(lambda _: self._jobs.pop(name, None))

    async def _guard(self) -> None:
        """Continue shims that somebody stopped: without them, nobody supervises their agents."""
        while live := {k: a for k, a in self._attempts.items() if not a.watch.gone.is_set()}:
            for key, attempt in live.items():
                if wake(attempt.record) and not attempt.was_stopped:
                    attempt.was_stopped = True
                    self.say(
                        f"The process that looks after {key.task} was stopped by somebody; "
                        "it was told to go on."
                    )
                self._look_at_logs(key, attempt)
            await asyncio.sleep(_GUARD_SECONDS)

    def _look_at_logs(self, key: AttemptKey, attempt: _Attempt) -> None:
        """Report refused hosts, and once that the attempt prints more than is kept."""
        hosts = attempt.refused.news()
        if hosts:
            self.say(f"{key.task} was kept from {hosts} (safety.network.allow).")
        if not self._log_limit or attempt.floods:
            return
        with suppress(OSError):
            attempt.floods = (attempt.folder / OUTPUT_LOG).stat().st_size > self._log_limit
        if attempt.floods:
            self.say(
                f"{key.task} prints more than {size(self._log_limit)}: the middle of its log is "
                "left out (monitoring.log_limit)."
            )

    async def _insist(self, attempt: _Attempt, grace_seconds: float) -> None:
        """Kill a shim that does not end its tree in time, and end what it leaves behind."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds + _STUCK_SECONDS):
                await attempt.watch.gone.wait()
        if not attempt.watch.gone.is_set():
            send_signal(attempt.record.shim_pid, signal.SIGKILL, attempt.shim)

    async def _outcome(self, folder: Path, record: StartRecord) -> Exited:
        """Return how an attempt whose shim is gone ended.

        End its strays if it has no exit record.
        """
        ended = read_exit(folder)
        if ended is not None:
            return self._moments.exited(ended)
        await asyncio.to_thread(end_strays, record, folder / OUTPUT_LOG)
        return self._moments.lost(record)

    def _folder(self, key: AttemptKey) -> Path:
        return self._places.attempt(key.run, key.task, key.attempt)

    def _request(self, launch: Launch, folder: Path) -> LaunchRequest:
        token = secrets.token_hex(8)
        try:
            control = socket_folder() / f"{token}.sock"
        except OSError as error:
            raise LaunchError(f"no place for a socket: {error}.", permanent=False) from error
        return LaunchRequest(
            id=self._launcher.next_id(),
            folder=os.fspath(folder.absolute()),
            argv=launch.argv,
            cwd=os.fspath(launch.cwd),
            env=launch.env,
            grace_seconds=launch.grace_seconds,
            speaks=launch.speaks,
            token=token,
            control=os.fspath(control),
            fence=read_fence(folder),
            lifeline=os.getpid() if launch.is_tied else 0,
            log_limit=self._log_limit,
            sandbox=launch.sandbox,
            limits=LimitRequest(*astuple(launch.limits)),
            network=launch.network,
        )

    async def _order(self, key: AttemptKey, order: Order, text: bytes = b"") -> bool:
        """Give the order; return False if the shim refuses or is gone. Raise TimeoutError."""
        attempt = self._attempts.get(key)
        if attempt is None:
            return False
        for turn in range(_REBIND_TRIES):
            if attempt.watch.gone.is_set():
                return False
            try:
                return await give_order(attempt.record.control, order, text)
            except (FileNotFoundError, ConnectionRefusedError):
                # Somebody cleaned up the runtime directory: the shim makes its socket anew.
                if turn == 0:
                    send_signal(attempt.record.shim_pid, signal.SIGUSR1, attempt.shim)
                await asyncio.sleep(_NAP_SECONDS)
            except TimeoutError:
                raise
            except OSError:  # the shim exited during the exchange
                return False
        return False

    async def _order_in_time(self, key: AttemptKey, order: Order) -> bool:
        """Give an idempotent order; return False also if the shim does not answer."""
        try:
            return await self._order(key, order)
        except TimeoutError:
            return False


async def _give_up(folder: Path) -> StartRecord | None:
    """Return what has started in the folder; None if nothing did or will. Raise LaunchError."""
    try:
        return await asyncio.to_thread(give_up, folder)
    except OSError as error:
        raise LaunchError(
            f"cannot keep an agent's records in {folder}: {error.strerror or error}.",
            permanent=False,
        ) from error


def _follow(folder: Path, record: StartRecord) -> _Attempt:
    shim = Stat("S", 0, record.shim_pid, record.shim_started)
    return _Attempt(folder, record, Watch(record.shim_pid, shim), RefusedHosts(folder))


async def _find_alive(folder: Path, record: StartRecord) -> _Attempt | None:
    """Return the attempt if its shim holds its lock and is the process of the record."""
    if record.boot_id != TABLE.boot_id():
        return None
    give_up_at = time.monotonic() + _LEAVING_SECONDS
    while is_alive(folder):
        attempt = _follow(folder, record)
        if not attempt.watch.gone.is_set():
            return attempt
        if time.monotonic() > give_up_at:
            break
        await asyncio.sleep(_NAP_SECONDS)
    return None
