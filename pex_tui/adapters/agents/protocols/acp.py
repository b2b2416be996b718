"""The Agent Client Protocol, version 1: JSON-RPC, one object per line, one session per process.

Implemented here because the protocol's library owns the pipes: our agents outlive the engine, so
the conversation has to be rebuilt from the logs. Its import takes nine times as long as this one.
Unknown messages are ignored: updates may come late, for calls that were never announced, or in
kinds from other versions.
"""

from typing import Any

from pex_tui.adapters.agents.protocols.acp_calls import Calls
from pex_tui.adapters.agents.protocols.agent_protocol import AgentProtocol
from pex_tui.adapters.agents.protocols.checklist import Checklist, Item
from pex_tui.adapters.agents.protocols.protocol import (
    ANSWER,
    Heard,
    Say,
    amount,
    encoded,
    entries,
    json_object,
    judge_error,
    section,
    shown,
    silent_end,
    text_of,
)
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.core.model.plan import PermissionMode
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.engine.attempt import (
    Exited,
    Judgement,
    Limited,
    Progress,
    Spent,
)

_INITIALIZE, _SESSION, _LOAD, _MODE, _LOGIN, _PROMPT = 1, 2, 3, 4, 5, 100

_CANCEL = "session/cancel"
_UNKNOWN_METHOD = -32601
_LOGIN_NEEDED = -32000
_MODES = {  # mode names by permission mode, best first
    PermissionMode.ASK: ("default", "ask", "read-only"),
    PermissionMode.EDITS: ("acceptEdits", "autoEdit", "auto_edit", "workspace-write", "default"),
    PermissionMode.ALL: ("acceptEdits", "autoEdit", "auto_edit", "workspace-write", "default"),
}


class AcpMachine:
    """One attempt of an ACP agent."""

    def __init__(self, record: AgentRecord) -> None:
        self._record = record
        self._session = ""
        self._is_loading = False
        self._login_methods: tuple[str, ...] = ()
        self._prompt = record.prompt
        self._prompts = 0  # sent so far
        self._turn_ended = False
        self._waiting: list[str] = []  # people's messages, for later turns
        self._stop_reason = ""
        self._is_broken = False  # the turn is running, by the agent's own state
        self._error: Judgement | None = None
        self._list = Checklist()
        self._calls = Calls(record.cwd)
        self._options: dict[str, list[dict[str, Any]]] = {}  # open questions, by request
        self._ids: dict[str, Any] = {}  # request ids, which may be numbers
        self._words = ""
        self._cost = record.cost_before
        self._told_cost = record.cost_before
        self._spendings = 0
        self.fatal: Judgement | None = None
        self.last_words = ""

    @property
    def session(self) -> str:
        """The session's id; empty until there is one."""
        return self._session

    @property
    def spent_usd(self) -> float:
        """The session's cost as reported, earlier attempts included."""
        return self._cost

    @property
    def is_over(self) -> bool:
        """True once the last prompt has been answered."""
        return self._turn_ended and not self._waiting

    @property
    def is_busy(self) -> bool:
        """True while a tool runs or waits for permission."""
        return self._calls.any_open or bool(self._options)

    @property
    def asks(self) -> bool:
        """True while a permission request is open."""
        return bool(self._options)

    @property
    def listens(self) -> bool:
        """Always True: a message becomes a turn of its own after the current one."""
        return True

    def opening(self) -> list[Say]:
        """Introduce the client; the session starts once the agent has answered."""
        files = {"readTextFile": False, "writeTextFile": False}  # it works on its own checkout
        capabilities = {"fs": files, "terminal": False}
        client = {"name": "pex-tui", "title": "pex-tui", "version": "1"}
        params = {"protocolVersion": 1, "clientCapabilities": capabilities, "clientInfo": client}
        return [_request(_INITIALIZE, "initialize", params)]

    def key_of(self, line: bytes) -> str | None:
        """Return the number of a request, or the key of the request that a response answers."""
        message = json_object(line) or {}
        number, method = message.get("id"), text_of(message.get("method"))
        if not method:
            return f"{ANSWER}{number}"
        return method if number is None else str(number)

    def answer(self, request: str, verdict: Verdict) -> Say | None:
        """Choose one of the agent's options, never one that outlives the session.

        A request whose tool call has changed since it was asked is refused.
        """
        options = self._options.pop(request, None)
        if options is None:
            return None
        is_allowed = self._calls.is_unchanged(request) and verdict is not Verdict.DENY
        wanted = ("allow_once",) if is_allowed else ("reject_once", "reject_always")
        chosen = next((one for kind in wanted for one in options if one.get("kind") == kind), None)
        if chosen is None:
            outcome = {"outcome": "cancelled"}
        else:
            outcome = {"outcome": "selected", "optionId": text_of(chosen.get("optionId"))}
        return _answer(self._ids.pop(request), {"outcome": outcome})

    def message(self, text: str) -> list[Say] | None:
        """Queue the next prompt: the protocol allows one turn at a time."""
        if self.is_over:
            return None
        self._waiting.append(text)
        return []

    def interrupt(self) -> Say | None:
        """Ask the agent to end its turn."""
        if not self._session:
            return None
        params = {"sessionId": self._session}
        return Say(_CANCEL, encoded({"jsonrpc": "2.0", "method": _CANCEL, "params": params}))

    def hear(self, line: bytes) -> Heard:
        """Interpret one message of the agent."""
        heard = Heard()
        message = json_object(line)
        if message is None or message.get("jsonrpc") != "2.0":
            heard.shown += shown(line.decode("utf-8", "replace").rstrip())
            return heard
        method, number = text_of(message.get("method")), message.get("id")
        if method == "session/update":
            self._updated(section(message, "params", "update"), heard)
        elif method == "session/request_permission" and number is not None:
            self._asked(number, section(message, "params"), heard)
        elif method and number is not None:
            error = {"code": _UNKNOWN_METHOD, "message": f"{method} is not supported here"}
            say = encoded({"jsonrpc": "2.0", "id": number, "error": error})
            heard.says.append(Say(f"{ANSWER}{number}", say))
        elif not method and isinstance(number, int):
            self._answered(number, message, heard)
        return heard

    def judge(self, exited: Exited) -> Judgement:
        """Judge by the stop reason of the last turn."""
        if self.fatal is not None:
            return self.fatal
        if self._error is not None:
            return self._error
        if self._stop_reason == "end_turn":
            return Judgement(None)
        if self._stop_reason:
            return Judgement(FailureKind.AGENT, f"its turn stopped: {self._stop_reason}")
        return silent_end(exited, self.last_words)

    def _answered(self, number: int, message: dict[str, Any], heard: Heard) -> None:
        result, error = section(message, "result"), section(message, "error")
        if error:
            self._refused(number, error, heard)
        elif number == _INITIALIZE:
            methods = entries(result.get("authMethods"))
            self._login_methods = tuple(text_of(method.get("id")) for method in methods)
            loads = section(result, "agentCapabilities").get("loadSession") is True
            if self._record.resumes and loads:
                self._is_loading = True
                heard.says.append(self._open(_LOAD, "session/load", sessionId=self._record.session))
            else:
                self._begin_anew(heard)
        elif number in {_SESSION, _LOAD}:
            self._is_loading = False
            self._session = text_of(result.get("sessionId")) or self._record.session
            self._choose_mode(section(result, "modes"), heard)
        elif number == _LOGIN:
            heard.says.append(self._open(_LOGIN + 1, "session/new"))
        elif number == _LOGIN + 1:
            self._answered(_SESSION, message, heard)
        elif number == _MODE:
            self._say_prompt(self._prompt, heard)
        elif number >= _PROMPT:
            self._turned(result, heard)

    def _refused(self, number: int, error: dict[str, Any], heard: Heard) -> None:
        text = text_of(error.get("message")) or "an error without a message"
        details = section(error, "data")
        more = text_of(details.get("details")) or text_of(details.get("message"))
        text = f"{text}: {more}" if more and more not in text else text
        heard.shown += shown(text, "✗ ")
        key = next((name for name in self._login_methods if "api-key" in name), None)
        if number == _LOAD:
            self._is_loading = False
            self._begin_anew(heard)
        elif number == _MODE:
            self._say_prompt(self._prompt, heard)
        elif number == _SESSION and error.get("code") == _LOGIN_NEEDED and key is not None:
            heard.says.append(_request(_LOGIN, "authenticate", {"methodId": key}))
        elif error.get("code") == _LOGIN_NEEDED:
            self.fatal = Judgement(FailureKind.AUTH, f"the agent requires a login: {text}")
        elif number >= _PROMPT:
            self._failed(text, heard)
            self._turn_ended = True
        else:
            self.fatal = judge_error(text)

    def _failed(self, text: str, heard: Heard) -> None:
        self._error = judge_error(text)
        if self._error.failure is FailureKind.LIMIT:
            heard.reports.append(Limited(None, text))

    def _begin_anew(self, heard: Heard) -> None:
        if self._record.resumes:
            self._prompt = self._record.fresh_prompt
        heard.says.append(self._open(_SESSION, "session/new"))

    def _open(self, number: int, method: str, **params: str) -> Say:
        return _request(number, method, {"cwd": self._record.cwd, "mcpServers": [], **params})

    def _choose_mode(self, modes: dict[str, Any], heard: Heard) -> None:
        offered = [text_of(mode.get("id")) for mode in entries(modes.get("availableModes"))]
        asked = PermissionMode.ASK if self._record.read_only else self._record.mode
        mode = next((name for name in _MODES[asked] if name in offered), None)
        if mode is None:
            self._say_prompt(self._prompt, heard)
        else:  # even when it reports that mode already: some agents report it wrongly
            params = {"sessionId": self._session, "modeId": mode}
            heard.says.append(_request(_MODE, "session/set_mode", params))

    def _say_prompt(self, text: str, heard: Heard) -> None:
        heard.says.append(self._next_prompt(text))

    def _next_prompt(self, text: str) -> Say:
        number = _PROMPT + self._prompts
        self._prompts += 1
        self._turn_ended = self._is_broken = False
        prompt = [{"type": "text", "text": text}]
        return _request(number, "session/prompt", {"sessionId": self._session, "prompt": prompt})

    def _turned(self, result: dict[str, Any], heard: Heard) -> None:
        self._flush(heard)
        self._calls.end_turn()
        self._turn_ended = True
        self._error = None
        self._stop_reason = text_of(result.get("stopReason"))
        if self._is_broken:  # codex-acp ends it normally, the error as last paragraph
            self._failed(self.last_words.rpartition("\n\n")[2], heard)
        tokens = int(amount(section(result, "usage").get("totalTokens")))
        cost = self._cost - self._told_cost
        self._told_cost = self._cost
        self._spendings += 1
        if tokens or cost:
            heard.reports.append(Spent(tokens, cost or None, self._spendings))
        heard.shown += shown(self._stop_reason, "= ")
        if self._waiting:
            heard.says.append(self._next_prompt(self._waiting.pop(0)))

    def _asked(self, number: Any, params: dict[str, Any], heard: Heard) -> None:
        request = str(number)
        self._ids[request] = number
        self._options[request] = entries(params.get("options"))
        asked = self._calls.ask(request, section(params, "toolCall"))
        heard.reports.append(asked)
        heard.shown += shown(asked.title, "? ")

    def _updated(self, update: dict[str, Any], heard: Heard) -> None:
        if self._is_loading:
            return  # a replay of earlier updates
        match update.get("sessionUpdate"):
            case "agent_message_chunk":
                self._words += text_of(section(update, "content").get("text"))
                return
            case "plan":
                self._list.replace([_item(entry) for entry in entries(update.get("entries"))])
            case "tool_call" | "tool_call_update":
                self._flush(heard)
                self._called(update, heard)
            case "session_info_update":
                state = section(update, "_meta", "codex", "threadStatus").get("type")
                self._is_broken = state == "systemError" if state else self._is_broken
                return
            case "usage_update":
                self._cost = amount(section(update, "cost").get("amount")) or self._cost
                return
            case _:
                return
        heard.reports.append(Progress(self._list.fraction, self._list.activity))

    def _called(self, update: dict[str, Any], heard: Heard) -> None:
        title = self._calls.update(update)
        if title and title != self._list.latest and update.get("title"):
            self._list.latest = title
            heard.shown += shown(title, "● ")

    def _flush(self, heard: Heard) -> None:
        """Report a whole message once something other than its chunks follows."""
        text = self._words.strip()
        self._words = ""
        if text:
            self.last_words = text
            self._list.latest = text.partition("\n")[0]
            heard.shown += shown(text)


def _request(number: int, method: str, params: dict[str, Any]) -> Say:
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return Say(str(number), encoded(message))


def _answer(number: Any, result: dict[str, Any]) -> Say:
    line = encoded({"jsonrpc": "2.0", "id": number, "result": result})
    return Say(f"{ANSWER}{number}", line, waits=True)


def _item(entry: dict[str, Any]) -> Item:
    return Item(text_of(entry.get("content")), text_of(entry.get("status")))


PROTOCOL = AgentProtocol(machine=AcpMachine, is_spoken=True, asks_by_mode=True)
