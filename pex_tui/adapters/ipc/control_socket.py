"""The control socket, on which other processes of this user send requests to the running engine.

One JSON object per line in either direction, see `control_requests`; the reply is `{"ok": true}` or
`{"ok": false, "error": "…"}`. Each request becomes a journaled event with its author. Only `diff`
changes nothing: its reply has the task's changes so far as `text`. Requests of a task's processes
are refused, and journaled as that task's.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from pex_tui.adapters.ipc.control_requests import (
    ATTEND,
    DIFF,
    LET_GO,
    LONGEST_LINE,
    ControlError,
    event_of,
    read_request,
    request_for,
    task_of,
)
from pex_tui.adapters.process.keepers import Keeper, PeerGoneError, own_keeper, peer_keeper
from pex_tui.core.events.agent_events import SteeringRefused
from pex_tui.core.events.run_events import Event
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.engine.ports import LandingError, WorkspaceError

__all__ = ["LET_GO", "ControlError", "ControlServer", "ask", "ask_diff", "request_for"]

_TIMEOUT_SECONDS = 10.0
_IDLE_SECONDS = 30.0
_LONGEST_ANSWER = 16 * 1024 * 1024
_MOST_CONNECTIONS = 64


def _nobody_comes() -> Callable[[], None]:
    return lambda: None


class ControlServer:
    """Serves one engine's socket; `let_go` is called if another process wants to take over.

    `diff` returns what a task has changed so far. `stored` returns once all posted events are in
    the journal, False if they never will be. A client that sends `attend` counts as a person who
    can decide, as long as its connection lasts.
    """

    def __init__(
        self,
        path: Path,
        state: Callable[[], RunState],
        post: Callable[[Event], None],
        diff: Callable[[TaskId], Awaitable[str]],
        let_go: Callable[[], None] | None,
        stored: Callable[[], Awaitable[bool]] | None = None,
        attend: Callable[[], Callable[[], None]] = _nobody_comes,
    ) -> None:
        self._path = path
        self._state = state
        self._post = post
        self._diff = diff
        self._let_go = let_go
        self._stored = stored
        self._attend = attend
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._keeper: Keeper | None = None
        self._refused: set[tuple[TaskId, str]] = set()

    async def start(self) -> None:
        """Listen; the socket of a dead engine is replaced (the engine lock is held)."""
        self._keeper = await asyncio.to_thread(own_keeper)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._serve, path=self._path, limit=LONGEST_LINE
        )
        self._path.chmod(0o600)

    def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        # Nobody awaits a connection: a cancelled one has nothing to report.
        with suppress(OSError, asyncio.CancelledError):
            await self._converse(reader, writer)
        self._writers.discard(writer)
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer line by line; a line that is too long or too late ends the connection."""
        is_full = len(self._writers) > _MOST_CONNECTIONS
        reason = "too many connections are open; try again later"
        try:
            agent = await asyncio.to_thread(self._agent, writer)
            while not is_full:
                async with asyncio.timeout(_IDLE_SECONDS):
                    line = await reader.readline()
                if not line:
                    return
                answer = await self._answer(line, agent)
                await _say(writer, answer)
                if answer.get("attending"):
                    await self._while_there(reader)
        except ValueError:
            reason = f"a request has at most {LONGEST_LINE} bytes"
        except TimeoutError:
            reason = "no request came"
        except PeerGoneError as error:
            reason = str(error)
        await _say(writer, _refusal(reason))

    async def _while_there(self, reader: asyncio.StreamReader) -> None:
        """Count a person as present until the connection ends.

        Requests come on other connections.
        """
        leave = self._attend()
        try:
            while await reader.read(LONGEST_LINE):
                pass
        finally:
            leave()

    def _agent(self, writer: asyncio.StreamWriter) -> Keeper | None:
        """Return the attempt that asks, None for a person's process.

        Raises PeerGoneError, OSError.
        """
        keeper = peer_keeper(writer.get_extra_info("socket"))
        return None if keeper == self._keeper else keeper

    async def _answer(self, line: bytes, agent: Keeper | None) -> dict[str, Any]:
        try:
            request = read_request(line)
            if agent is not None:
                return _refusal(self._refuse(agent, str(request["request"])))
            tasks = self._state().graph.index
            match request["request"]:
                case "diff":
                    return {"ok": True, "text": await self._diff(task_of(request, tasks))}
                case "attend":
                    return {"ok": True, "attending": True}
                case "let_go":
                    self._release()
                case _:
                    await self._take(event_of(request, tasks))
        except (ControlError, LandingError, WorkspaceError) as error:
            return _refusal(str(error))
        return {"ok": True}

    async def _take(self, event: Event) -> None:
        """Post the event; the client is answered once the event is durable."""
        self._post(event)
        if self._stored is not None and not await self._stored():
            raise ControlError("the run has just ended, or another process is taking it over")

    def _release(self) -> None:
        if self._let_go is None:
            raise ControlError("this engine has a terminal of its own; control it there")
        self._let_go()

    def _refuse(self, agent: Keeper, wanted: str) -> str:
        """Journal an agent's request, once for each task and request; return why it is refused."""
        name = TaskId(agent.name)
        if name in self._state().graph.index and (name, wanted) not in self._refused:
            self._refused.add((name, wanted))
            self._post(SteeringRefused(name, wanted))
        who = f"task {name}" if name else "an agent"
        return f"this process is part of {who}: an agent must not control a run"


async def _say(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()


def _refusal(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


async def ask_diff(path: Path, task: TaskId) -> str:
    """Return what a task of a live engine has changed so far; raise ControlError."""
    return str((await ask(path, request=DIFF, task=task)).get("text", ""))


@asynccontextmanager
async def attending(path: Path) -> AsyncIterator[None]:
    """Be present for a live engine; an unreachable one continues as if nobody were present."""
    writer = None
    with suppress(OSError):
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(json.dumps({"request": ATTEND}).encode() + b"\n")
    try:
        yield
    finally:
        if writer is not None:
            writer.close()


async def ask(path: Path, **request: Any) -> dict[str, Any]:
    """Send one request to a live engine and return its answer; raise ControlError if refused."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path, limit=_LONGEST_ANSWER)
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            answer = json.loads(await reader.readline() or b"{}")
            writer.close()
    except (OSError, ValueError, TimeoutError) as error:
        raise ControlError(f"the engine does not answer on {path}: {error}") from error
    if not answer.get("ok"):
        raise ControlError(str(answer.get("error", "the engine gave no answer")))
    return dict(answer)
