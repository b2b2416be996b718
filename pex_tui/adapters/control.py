"""The control socket: another process of this user asks the engine that runs here for something.

One JSON object a line in either direction. A request names an event of the run's requests, such as
`{"request": "pause", "task": "api", "by": "you"}`; the answer is `{"ok": true}` or
`{"ok": false, "error": "…"}`. Each request becomes a journaled event with its author. One only
looks: `diff`, whose answer has the task's changes so far as `text`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pex_tui.core.conflict import Decision
from pex_tui.core.events import (
    AbortRequested,
    BoostRequested,
    BoostToggled,
    ConflictDecided,
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
from pex_tui.core.ids import CommitId, TaskId
from pex_tui.core.state import RunState, Verdict
from pex_tui.core.talk_events import BudgetExtended, MessageSent, PermissionDecided
from pex_tui.engine.ports import LandingError, WorkspaceError

LET_GO = "let_go"
_DIFF, _SLOTS, _DECIDE, _DRAIN = "diff", "slots", "decide", "drain"
_PERMIT, _TELL = "permit", "tell"
_TIMEOUT_SECONDS = 10.0
_LONGEST_LINE = 64 * 1024
_LONGEST_ANSWER = 16 * 1024 * 1024
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
    "boost_run": BoostToggled,
    "land": LandRequested,
    "extend_budget": BudgetExtended,
}


class ControlError(Exception):
    """A request that could not be delivered or was refused; the text says why."""


class ControlServer:
    """Serves one engine's socket; `let_go` is called when another process wants to take over.

    `diff` answers what a task has changed so far.
    """

    def __init__(
        self,
        path: Path,
        state: Callable[[], RunState],
        post: Callable[[Event], None],
        diff: Callable[[TaskId], Awaitable[str]],
        let_go: Callable[[], None] | None,
    ) -> None:
        self._path = path
        self._state = state
        self._post = post
        self._diff = diff
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
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if isinstance(request, dict) and request.get("request") == _DIFF:
                return {"ok": True, "text": await self._diff(self._task(request.get("task")))}
            self._obey(request if isinstance(request, dict) else {})
        except (ControlError, LandingError, WorkspaceError) as error:
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
        elif wanted == _SLOTS and isinstance(request.get("slots"), int):
            self._post(SlotsRequested(request["slots"], by))
        elif wanted == _DRAIN:
            self._post(RunDrainRequested(by, kill=request.get("kill") is True))
        elif wanted == _DECIDE:
            self._post(self._decision(request, by))
        elif wanted == _PERMIT:
            self._post(self._permission(request, by))
        elif wanted == _TELL:
            text = str(request.get("text") or "")
            self._post(MessageSent(self._task(request.get("task")), text, by))
        elif wanted in _RUN_REQUESTS:
            self._post(_RUN_REQUESTS[wanted](by))
        elif wanted in _TASK_REQUESTS:
            self._post(_TASK_REQUESTS[wanted](self._task(request.get("task")), by))
        else:
            others = (LET_GO, _DIFF, _SLOTS, _DECIDE, _DRAIN, _PERMIT, _TELL)
            known = ", ".join(sorted([*_RUN_REQUESTS, *_TASK_REQUESTS, *others]))
            raise ControlError(f"unknown request {wanted!r}; there are: {known}")

    def _decision(self, request: dict[str, Any], by: str) -> ConflictDecided:
        try:
            decision = Decision(str(request.get("decision")))
        except ValueError:
            known = ", ".join(Decision)
            raise ControlError(f"no such decision; there are: {known}") from None
        work = request.get("work")
        settled = CommitId(work) if isinstance(work, str) else None
        return ConflictDecided(self._task(request.get("task")), decision, settled, by)

    def _permission(self, request: dict[str, Any], by: str) -> PermissionDecided:
        try:
            verdict = Verdict(str(request.get("verdict")))
        except ValueError:
            raise ControlError(f"no such verdict; there are: {', '.join(Verdict)}") from None
        asked = str(request.get("permission"))
        return PermissionDecided(self._task(request.get("task")), asked, verdict, by)

    def _task(self, name: object) -> TaskId:
        known = self._state().graph.index
        if not isinstance(name, str) or TaskId(name) not in known:
            raise ControlError(f"there is no task {name!r} in this run")
        return TaskId(name)


def request_for(event: Event) -> dict[str, Any]:
    """The request that becomes this event; raise ControlError for what no request asks for."""
    match event:
        case SlotsRequested():
            return {"request": _SLOTS, "slots": event.slots, "by": event.by}
        case RunDrainRequested():
            return {"request": _DRAIN, "kill": event.kill, "by": event.by}
        case ConflictDecided():
            wanted = {"request": _DECIDE, "task": event.task, "by": event.by}
            return wanted | {"decision": event.decision, "work": event.work}
        case PermissionDecided():
            wanted = {"request": _PERMIT, "task": event.task, "by": event.by}
            return wanted | {"permission": event.request, "verdict": event.verdict}
        case MessageSent():
            return {"request": _TELL, "task": event.task, "text": event.text, "by": event.by}
    for name, make in _TASK_REQUESTS.items():
        if make is type(event):
            return {"request": name, "task": event.task, "by": event.by}  # type: ignore[union-attr]
    for name, make_for_run in _RUN_REQUESTS.items():
        if make_for_run is type(event):
            return {"request": name, "by": event.by}  # type: ignore[union-attr]
    raise ControlError(f"{type(event).__name__} can't be asked for")


async def ask_diff(path: Path, task: TaskId) -> str:
    """What a task of a live engine has changed so far; raise ControlError."""
    return str((await ask(path, request=_DIFF, task=task)).get("text", ""))


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
