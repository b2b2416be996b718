"""The control socket: another process of this user asks the engine that runs here for something.

One JSON object a line in either direction. A request names an event of the run's requests, such as
`{"request": "pause", "task": "api", "by": "you"}`; the answer is `{"ok": true}` or
`{"ok": false, "error": "…"}`. Each request becomes a journaled event with its author.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pex_tui.core.events import (
    AbortRequested,
    BoostRequested,
    BoostToggled,
    Event,
    LandRequested,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    RunAbortRequested,
    RunDrainRequested,
    RunPauseRequested,
    RunResumeRequested,
    SlotsRequested,
)
from pex_tui.core.ids import TaskId
from pex_tui.core.state import RunState

LET_GO = "let_go"
_TIMEOUT_SECONDS = 10.0
_LONGEST_LINE = 64 * 1024
_TASK_REQUESTS: dict[str, Callable[[TaskId, str], Event]] = {
    "pause": PauseRequested,
    "resume": ResumeRequested,
    "boost": BoostRequested,
    "abort": AbortRequested,
    "retry": RetryRequested,
}
_RUN_REQUESTS: dict[str, Callable[[str], Event]] = {
    "pause_run": RunPauseRequested,
    "resume_run": RunResumeRequested,
    "abort_run": RunAbortRequested,
    "drain": RunDrainRequested,
    "boost_run": BoostToggled,
    "land": LandRequested,
}


class ControlError(Exception):
    """A request that could not be delivered or was refused; the text says why."""


class ControlServer:
    """Serves one engine's socket; `let_go` is called when another process wants to take over."""

    def __init__(
        self,
        path: Path,
        state: Callable[[], RunState],
        post: Callable[[Event], None],
        let_go: Callable[[], None] | None,
    ) -> None:
        self._path = path
        self._state = state
        self._post = post
        self._let_go = let_go
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; an older socket of a dead engine is replaced (the engine lock is ours)."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._serve, path=self._path, limit=_LONGEST_LINE
        )
        self._path.chmod(0o600)

    def close(self) -> None:
        """Stop listening and take the socket away."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Nobody awaits a connection: a cancelled one has nothing to tell.
        with suppress(ConnectionError, ValueError, asyncio.CancelledError):
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            self._obey(request if isinstance(request, dict) else {})
        except ControlError as error:
            return {"ok": False, "error": str(error)}
        except ValueError:
            return {"ok": False, "error": "a request is one JSON object on one line"}
        return {"ok": True}

    def _obey(self, request: dict[str, Any]) -> None:
        wanted, by = request.get("request"), str(request.get("by") or "control socket")
        if wanted == LET_GO:
            if self._let_go is None:
                raise ControlError("this engine has a terminal of its own; steer it there")
            self._let_go()
        elif wanted == "slots" and isinstance(request.get("slots"), int):
            self._post(SlotsRequested(request["slots"], by))
        elif wanted in _RUN_REQUESTS:
            self._post(_RUN_REQUESTS[wanted](by))
        elif wanted in _TASK_REQUESTS:
            self._post(_TASK_REQUESTS[wanted](self._task(request.get("task")), by))
        else:
            known = ", ".join(sorted([*_RUN_REQUESTS, *_TASK_REQUESTS, LET_GO, "slots"]))
            raise ControlError(f"unknown request {wanted!r}; there are: {known}")

    def _task(self, name: object) -> TaskId:
        known = self._state().graph.index
        if not isinstance(name, str) or TaskId(name) not in known:
            raise ControlError(f"there is no task {name!r} in this run")
        return TaskId(name)


async def ask(path: Path, **request: Any) -> None:
    """Send one request to a live engine; raise ControlError when it is not taken."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            answer = json.loads(await reader.readline() or b"{}")
            writer.close()
    except (OSError, ValueError, TimeoutError) as error:
        raise ControlError(f"the engine does not answer on {path}: {error}") from error
    if not answer.get("ok"):
        raise ControlError(str(answer.get("error", "the engine gave no answer")))
