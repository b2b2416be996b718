"""The agents' socket: processes of attempts ask for named locks and hold them while connected.

One JSON object per line in either direction. A process sends its identity and its claim: `{"task":
"unit", "attempt": 1, "token": "…", "claim": "…", "locks": [{"name": "db", "mode": "exclusive"}],
"within": [], "wait": null}`. The reply is `{"granted": true}` or `{"refused": "…"}`. The locks are
released on `{"release": true}` and whenever the connection ends, so a killed process gives up its
locks. The socket accepts no other request.
"""

import asyncio
import json
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pex_tui.adapters.agents.tokens import AttemptTokens
from pex_tui.core.events.lock_events import LockAsked, LockReleased
from pex_tui.core.events.run_events import Event
from pex_tui.core.model.ids import ClaimId, LockName, TaskId
from pex_tui.core.model.plan import LockMode, LockRequest
from pex_tui.core.model.state import RunState
from pex_tui.engine.attempt import AttemptKey

_LONGEST_LINE = 16 * 1024
_MOST_LOCKS = 64
_LONGEST_NAME = 80
_LONGEST_WORD = 200


class RequestError(Exception):
    """A request that is malformed or comes from the wrong process; the text gives the reason."""


class LockServer:
    """Serves the agents of one engine; the engine's interface to named locks."""

    def __init__(self, path: Path, tokens: AttemptTokens) -> None:
        self.path = path
        self._tokens = tokens
        self._server: asyncio.Server | None = None
        self._waiting: dict[ClaimId, asyncio.StreamWriter] = {}

    async def start(self, state: Callable[[], RunState], post: Callable[[Event], None]) -> None:
        """Listen, replacing the socket of an engine that has ended; raise OSError."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, ValueError, asyncio.CancelledError):
                await self._serve(reader, writer, state, post)
            writer.close()

        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(serve, self.path, limit=_LONGEST_LINE)
        self.path.chmod(0o600)

    def close(self) -> None:
        """Stop listening; processes that hold or want locks reconnect to the next engine."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self.path.unlink(missing_ok=True)
        for writer in self._waiting.values():
            writer.close()

    def token(self, key: AttemptKey) -> str:
        """Return the token that the attempt's processes authenticate with; raise OSError."""
        return self._tokens.token(key)

    def grant(self, claim: ClaimId) -> None:
        """Tell the process that its locks are granted."""
        self._tell(claim, {"granted": True})

    def refuse(self, claim: ClaimId, reason: str) -> None:
        """Tell the process that its locks are refused."""
        self._tell(claim, {"refused": reason})

    def _tell(self, claim: ClaimId, answer: dict[str, Any]) -> None:
        writer = self._waiting.get(claim)
        if writer is not None:
            writer.write(json.dumps(answer).encode() + b"\n")

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        state: Callable[[], RunState],
        post: Callable[[Event], None],
    ) -> None:
        try:
            asked = self._asked(await reader.readline(), state())
        except RequestError as error:
            writer.write(json.dumps({"refused": str(error)}).encode() + b"\n")
            await writer.drain()
            return
        self._waiting[asked.claim] = writer
        post(asked)
        try:
            await reader.readline()  # a release, or the end of the connection
        finally:
            if self._waiting.get(asked.claim) is writer:
                del self._waiting[asked.claim]
                if self._server is not None:
                    post(LockReleased(asked.claim))

    def _asked(self, line: bytes, state: RunState) -> LockAsked:
        try:
            request = json.loads(line)
            key = AttemptKey(state.run, TaskId(_word(request["task"])), _whole(request["attempt"]))
            token, claim = _word(request["token"]), ClaimId(_word(request["claim"]))
            locks = tuple(
                LockRequest(LockName(_word(lock["name"])), LockMode(lock["mode"]))
                for lock in request["locks"]
            )
            within = tuple(ClaimId(_word(outer)) for outer in request["within"])
            wait = None if request["wait"] is None else _number(request["wait"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise RequestError("not a request for locks") from error
        if key.task not in state.graph.index or not self._tokens.is_valid(key, token):
            raise RequestError(f"this process is no attempt of run {state.run}")
        if not 0 < len(locks) <= _MOST_LOCKS:
            raise RequestError(f"1 to {_MOST_LOCKS} locks can be asked for at once")
        if not all(0 < len(lock.name) <= _LONGEST_NAME for lock in locks):
            raise RequestError(f"a lock's name has 1 to {_LONGEST_NAME} characters")
        if wait is not None and not 0 <= wait < math.inf:
            raise RequestError("a time to wait is a number of seconds")
        known = next((one for one in state.claims if one.claim == claim), None)
        if known is not None and known.task != key.task:
            raise RequestError("that claim is another task's")
        return LockAsked(key.task, key.attempt, claim, locks, within, wait)


def _word(value: Any) -> str:
    """Return a text that can be journaled; raise TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError
    value.encode()
    if len(value) > _LONGEST_WORD:
        raise ValueError
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _number(value: Any) -> float:
    if type(value) not in {int, float}:
        raise TypeError
    return float(value)
