"""Claude Code's stream-json in both directions; observed with the lines 2.1.197 and 2.1.330.

The last `result` is the outcome, not the exit code. Costs are of the session, usage is of one turn.
A gentle pause holds the agent in our hook before a tool.
"""

import uuid
from typing import Any

from msgspec.structs import replace

from pex_tui.adapters.agents.agent_paths import is_own, touched
from pex_tui.adapters.agents.protocols import claude_start
from pex_tui.adapters.agents.protocols.agent_protocol import AgentProtocol
from pex_tui.adapters.agents.protocols.checklist import Checklist, Item
from pex_tui.adapters.agents.protocols.claude_control import DENIED, control, decision, response
from pex_tui.adapters.agents.protocols.protocol import (
    ANSWER,
    Heard,
    Say,
    amount,
    encoded,
    entries,
    json_object,
    judge_error,
    nearer,
    scope_of,
    section,
    shown,
    silent_end,
    text_of,
    wish,
)
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.core.lifecycle.permissions import forbidden
from pex_tui.core.lifecycle.rule_patterns import Concern
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.engine.attempt import (
    Asked,
    Exited,
    Judgement,
    Limited,
    Progress,
    Spent,
)

_INITIALIZE = "initialize"
_INTERRUPT = "interrupt"
_HOOK = "before-tool"

_LIMITS = frozenset({"rate_limit", "overloaded", "overloaded_error"})
_EDITORS = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})
_PATH_KEYS = ("file_path", "notebook_path", "path")
_NO_LOGIN = "authentication_failed"


class ClaudeMachine:
    """One attempt of Claude Code; the session's id is chosen by us."""

    def __init__(self, record: AgentRecord) -> None:
        self._record = record
        self._began = False
        self._list = Checklist()
        self._open_tools: set[str] = set()
        self._inputs: dict[str, dict[str, Any]] = {}  # tools awaiting permission, by request
        self._hooks: set[str] = set()  # those that only announce a write
        self._creating: dict[str, Item] = {}
        self._messages = 0  # messages of people, after the prompt
        self._unheard: set[str] = set()  # messages not yet taken up
        self._result: dict[str, Any] | None = None
        self._result_counts = False
        self._cost = record.cost_before
        self._spendings = 0
        self.fatal: Judgement | None = None
        self.last_words = ""

    @property
    def session(self) -> str:
        """The session's id; a session that was never used cannot be resumed."""
        return self._record.session if self._began else ""

    @property
    def spent_usd(self) -> float:
        """The session's cost, earlier attempts included."""
        return self._cost

    @property
    def is_over(self) -> bool:
        """True after the last result, unless a message waits to be taken up."""
        return self._result_counts and not self._unheard

    @property
    def is_busy(self) -> bool:
        """True while a tool runs or waits for permission."""
        return bool(self._open_tools or self._inputs)

    @property
    def asks(self) -> bool:
        """True while a permission request is open."""
        return bool(self._inputs)

    @property
    def listens(self) -> bool:
        """True at any time."""
        return True

    def opening(self) -> list[Say]:
        """Send our hook, then the prompt."""
        hooks = {"PreToolUse": [{"matcher": None, "hookCallbackIds": [_HOOK]}]}
        request = {"subtype": "initialize", "hooks": hooks}
        return [control(_INITIALIZE, request), self._user(0, self._record.prompt)]

    def key_of(self, line: bytes) -> str | None:
        """Return a request's id, the id that a response answers, or a message's uuid."""
        message = json_object(line) or {}
        match message.get("type"):
            case "control_request":
                return text_of(message.get("request_id"))
            case "control_response":
                return ANSWER + text_of(section(message, "response").get("request_id"))
            case "user":
                return self._recalled(text_of(message.get("uuid")))
            case _:
                return None

    def answer(self, request: str, verdict: Verdict) -> Say | None:
        """Allow with the requested input unchanged, or deny with a hint."""
        if request not in self._inputs:
            return None
        wanted = self._inputs.pop(request)
        if request in self._hooks:
            self._hooks.discard(request)
            return response(request, decision("deny") if verdict is Verdict.DENY else {})
        if verdict is Verdict.DENY:
            return response(request, {"behavior": "deny", "message": DENIED})
        return response(request, {"behavior": "allow", "updatedInput": wanted})

    def message(self, text: str) -> list[Say] | None:
        """Send the message, which joins the running turn or starts another one."""
        if self.is_over:
            return None
        self._messages += 1
        say = self._user(self._messages, text)
        self._unheard.add(say.key)
        return [say]

    def interrupt(self) -> Say | None:
        """End the turn; the process stays until its input ends."""
        return control(_INTERRUPT, {"subtype": "interrupt"})

    def hear(self, line: bytes) -> Heard:
        """Interpret one event of the stream."""
        heard = Heard()
        event = json_object(line)
        if event is None:
            heard.shown += shown(line.decode("utf-8", "replace").rstrip())
            return heard
        match event.get("type"):
            case "system":
                self._system(event, heard)
            case "assistant":
                self._assistant(event, heard)
            case "user":
                self._echo(event, heard)
            case "control_request":
                self._asked(event, heard)
            case "control_cancel_request":
                self._inputs.pop(text_of(event.get("request_id")), None)
            case "rate_limit_event":
                _limit_event(event, heard)
            case "result":
                self._ended(event, heard)
            case _:
                pass
        return heard

    def judge(self, exited: Exited) -> Judgement:
        """Judge by the last result; without one the attempt failed, whatever the exit code."""
        if self.fatal is not None:
            return self.fatal
        result = self._result
        if result is None or not self._result_counts:
            return silent_end(exited, self.last_words)
        if result.get("is_error") is False:
            return Judgement(None)
        text = text_of(result.get("result")) or text_of(result.get("subtype"))
        status = result.get("api_error_status")
        return judge_error(text, status if isinstance(status, int) else 0)

    def _recalled(self, key: str) -> str:
        """Count a message that an earlier engine sent, and return its key."""
        if key != self._uuid(0):
            self._messages += 1
            self._unheard.add(key)
        return key

    def _uuid(self, number: int) -> str:
        return str(uuid.uuid5(uuid.UUID(self._record.session), f"{self._record.attempt}/{number}"))

    def _user(self, number: int, text: str) -> Say:
        key = self._uuid(number)
        message = {
            "type": "user",
            "message": {"role": "user", "content": [{"type": "text", "text": text}]},
            "parent_tool_use_id": None,
            "session_id": self._record.session,
            "uuid": key,
        }
        return Say(key, encoded(message))

    def _system(self, event: dict[str, Any], heard: Heard) -> None:
        match event.get("subtype"):
            case "init":
                self._began = True
                self._result_counts = False  # a new turn: the earlier result was not the last
            case "api_retry":
                self._retry(event, heard)
            case _:
                pass

    def _retry(self, event: dict[str, Any], heard: Heard) -> None:
        error, status = text_of(event.get("error")), event.get("error_status")
        wait = amount(event.get("retry_delay_ms")) / 1000
        if error == _NO_LOGIN or status in {401, 403}:
            self._lacks_login()
        elif error in _LIMITS or status in {429, 529}:
            heard.reports.append(Limited(wait, f"the model refuses requests ({status or error})"))
        tries = f"try {event.get('attempt')} of {event.get('max_retries')} in {wait:.0f} s"
        problem = f"The model's server failed ({status or error}): {tries}"
        heard.shown += shown(problem, "! ")
        heard.reports.append(Progress(self._list.fraction, problem))

    def _lacks_login(self) -> None:
        self.fatal = Judgement(
            FailureKind.AUTH, "Claude Code is not logged in, or its key was rejected"
        )

    def _assistant(self, event: dict[str, Any], heard: Heard) -> None:
        if event.get("error") == _NO_LOGIN:  # known without asking the server
            self._lacks_login()
        is_own = event.get("parent_tool_use_id") is None  # otherwise a subagent
        self._result_counts = self._result_counts and not is_own
        for block in entries(section(event, "message").get("content")):
            match block.get("type"):
                case "text":
                    text = text_of(block.get("text")).strip()
                    self.last_words = text or self.last_words
                    heard.shown += shown(text)
                    self._list.latest = text.partition("\n")[0] or self._list.latest
                case "tool_use":
                    self._tool(block, heard, is_own=is_own)
                case _:
                    pass
        heard.reports.append(self._progress())

    def _tool(self, block: dict[str, Any], heard: Heard, *, is_own: bool) -> None:
        name, given = text_of(block.get("name")), section(block, "input")
        self._open_tools.add(text_of(block.get("id")))
        if name == "TodoWrite" and is_own:
            self._list.replace([_item(todo, "content") for todo in entries(given.get("todos"))])
        elif name == "TaskCreate" and is_own:
            self._creating[text_of(block.get("id"))] = _item(given, "subject")
        elif name == "TaskUpdate" and is_own:
            item = self._list.items.get(str(given.get("taskId")))
            if item is not None and given.get("status"):
                item.status = text_of(given["status"])
        else:
            self._list.latest = f"{name} {nearer(_subject(given), self._record.cwd)}".strip()
            heard.shown += shown(self._list.latest, "● ")

    def _echo(self, event: dict[str, Any], heard: Heard) -> None:
        """Read results of tools, and echoes of our messages that the agent has taken up."""
        if event.get("isReplay"):
            key = text_of(event.get("uuid"))
            if key in self._unheard:
                self._unheard.discard(key)
                self._result_counts = False
            for block in entries(section(event, "message").get("content")):
                heard.shown += shown(text_of(block.get("text")), "> ")
            return
        for block in entries(section(event, "message").get("content")):
            if block.get("type") != "tool_result":
                continue
            tool = text_of(block.get("tool_use_id"))
            self._open_tools.discard(tool)
            if tool in self._creating:
                number = section(event, "tool_use_result", "task").get("id")
                self._list.items[str(number or len(self._list.items) + 1)] = self._creating.pop(
                    tool
                )
            elif block.get("is_error"):
                heard.shown += shown(_result_text(block.get("content")), "  ✗ ")
        heard.reports.append(self._progress())

    def _asked(self, event: dict[str, Any], heard: Heard) -> None:
        key, request = text_of(event.get("request_id")), section(event, "request")
        match request.get("subtype"):
            case "can_use_tool":
                self._inputs[key] = section(request, "input")
                asked = self._wanted(key, text_of(request.get("tool_name")), request)
                heard.reports.append(asked)
                heard.shown += shown(asked.title, "? ")
            case "hook_callback":
                self._announced(key, section(request, "input"), heard)
            case _:
                error = {"subtype": "error", "request_id": key, "error": "not supported here"}
                message = {"type": "control_response", "response": error}
                heard.says.append(Say(ANSWER + key, encoded(message)))

    def _wanted(self, key: str, tool: str, request: dict[str, Any]) -> Asked:
        """Return the question about a tool, its input and possibly the path that triggered it."""
        given, folder = section(request, "input"), self._record.cwd
        command, path = text_of(given.get("command")), _path(given)
        paths = [named for named in (path, text_of(request.get("blocked_path"))) if named]
        places = [place for named in paths for place in touched(named, folder)]
        told = [*places[:1], command, *places[1:], text_of(given.get("url"))]
        touches = tuple(dict.fromkeys(text for text in told if text))
        return Asked(
            key,
            tool,
            wish(tool, _subject(given), folder),
            touches,
            scope_of(tool, command, touches, given),
            edits=tool in _EDITORS and bool(path) and all(is_own(one, folder) for one in paths),
        )

    def _announced(self, key: str, hook: dict[str, Any], heard: Heard) -> None:
        """Handle the hook before a tool, whether or not a permission request follows.

        Claude Code asks for only some calls, so a rule's denial is given here, and an undecided
        call is turned into a question. Under leases, a write waits for the answer.
        """
        tool, given = text_of(hook.get("tool_name")), section(hook, "tool_input")
        asked = self._wanted(key, tool, {"input": given})
        sureness, _ = forbidden(self._record.deny, tool, asked.touches)
        if sureness is Concern.UNCERTAIN:
            heard.says.append(response(key, decision("ask")))
        elif sureness is Concern.YES or (self._record.leases and asked.edits):
            self._inputs[key] = given
            self._hooks.add(key)
            heard.reports.append(replace(asked, scope="", announced=True))
        else:
            heard.says.append(response(key, {}))

    def _ended(self, event: dict[str, Any], heard: Heard) -> None:
        self._result, self._result_counts = event, True
        self._open_tools.clear()
        usage = section(event, "usage")
        tokens = sum(int(amount(used)) for name, used in usage.items() if name.endswith("_tokens"))
        total = amount(event.get("total_cost_usd"))
        cost = total - self._cost if total >= self._cost else total
        self._cost = total or self._cost
        self._spendings += 1
        heard.reports.append(Spent(tokens, cost, self._spendings))
        words = text_of(event.get("result"))
        is_error = event.get("is_error") is not False
        mark = "✗ " if is_error else "= "
        heard.shown += shown(words if is_error and words else text_of(event.get("subtype")), mark)
        self.last_words = words or self.last_words

    def _progress(self) -> Progress:
        return Progress(self._list.fraction, self._list.activity)


def _item(written: dict[str, Any], title: str) -> Item:
    status = text_of(written.get("status")) or "pending"
    return Item(text_of(written.get(title)), status, text_of(written.get("activeForm")))


def _subject(given: dict[str, Any]) -> str:
    """Return the subject of a tool call."""
    keys = ("command", *_PATH_KEYS, "pattern", "url", "query", "description")
    return next(filter(None, (text_of(given.get(key)) for key in keys)), "")


def _path(given: dict[str, Any]) -> str:
    return next(filter(None, (text_of(given.get(key)) for key in _PATH_KEYS)), "")


def _result_text(content: Any) -> str:
    parts = (text_of(part.get("text")) for part in entries(content))
    return content if isinstance(content, str) else "\n".join(parts)


def _limit_event(event: dict[str, Any], heard: Heard) -> None:
    """Handle a limit of the subscription; only a refusal delays anything."""
    info = section(event, "rate_limit_info")
    if info.get("status") == "rejected":
        heard.reports.append(Limited(None, "the subscription's limit is reached"))


PROTOCOL = AgentProtocol(
    machine=ClaudeMachine,
    options=claude_start.options,
    variables=claude_start.VARIABLES,
    grant=claude_start.GRANT,
    environment=claude_start.environment,
    is_spoken=True,
    takes_preamble=True,
)
