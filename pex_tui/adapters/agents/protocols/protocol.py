"""Dialects: agent protocols as state machines without input or output of their own.

A machine is fed the agent's lines one by one and returns their meaning and the replies. It keeps
nothing across a crash: the next engine feeds it the whole log again. Each line that it would send
has a key, so that lines already in the input log are not sent twice.
"""

import json
import math
import re
from typing import Any, Protocol

from msgspec import Struct, field

from pex_tui.core.lifecycle.permissions import UNKNOWN_TOOLS
from pex_tui.core.model.task_state import ONLY_THIS, FailureKind, Verdict
from pex_tui.engine.attempt import AgentReport, Exited, Judgement

ANSWER = "answer:"
"""Prefix of an answer's key; the request's id follows."""

LONGEST_SHOWN = 2000
"""Maximum characters of one message in the transcript."""

_VERBS = {
    "Bash": "run",
    "Write": "write",
    "Edit": "change",
    "MultiEdit": "change",
    "NotebookEdit": "change",
    "Read": "read",
    "WebFetch": "fetch",
    "WebSearch": "search the web for",
}
_AUTH = re.compile(
    r"authenticat|unauthori[sz]ed|not logged in|\b401\b|"
    r"(invalid|incorrect|missing|no) .{0,40}api.?key",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"rate.?limit|overloaded|too many requests|quota|\b(429|529)\b", re.IGNORECASE)


class Say(Struct, frozen=True):
    """One line for the agent; a line that `waits` is held back while the agent is paused."""

    key: str
    line: bytes
    waits: bool = False


class Heard(Struct):
    """The result of a line: reports for the engine, replies, and transcript lines."""

    reports: list[AgentReport] = field(default_factory=list)
    says: list[Say] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)


class ProtocolMachine(Protocol):
    """The client side of one attempt's conversation; `conversation` feeds it."""

    fatal: Judgement | None
    """Set once continuing is pointless, such as without a login: the agent is then stopped."""

    @property
    def session(self) -> str:
        """The session that a later attempt can continue; empty until the agent has begun one."""
        ...

    @property
    def spent_usd(self) -> float:
        """The cost of the whole session so far in US dollars, as the agent reports it."""
        ...

    @property
    def is_over(self) -> bool:
        """True once the agent has done what it was told, so that its input may end."""
        ...

    @property
    def is_busy(self) -> bool:
        """True while the agent waits for something besides its model: a tool or a person."""
        ...

    @property
    def asks(self) -> bool:
        """True while the agent waits for a person's answer."""
        ...

    @property
    def listens(self) -> bool:
        """True if the agent accepts messages while it runs."""
        ...

    @property
    def last_words(self) -> str:
        """The agent's last message."""
        ...

    def opening(self) -> list[Say]:
        """Return the lines that open the conversation."""
        ...

    def hear(self, line: bytes) -> Heard:
        """Interpret one line of output; lines must come in order."""
        ...

    def key_of(self, line: bytes) -> str | None:
        """Return the key of a sent line, as read back from the input log."""
        ...

    def answer(self, request: str, verdict: Verdict) -> Say | None:
        """Return the answer to a request; None if the agent did not make that request."""
        ...

    def message(self, text: str) -> list[Say] | None:
        """Return a person's message as lines.

        Empty if it has to wait, None if that's impossible.
        """
        ...

    def interrupt(self) -> Say | None:
        """Return the line that ends the turn; None if only a signal can."""
        ...

    def judge(self, exited: Exited) -> Judgement:
        """Judge how the agent ended, after it has exited and all of its output was read."""
        ...


def json_object(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object in a line, or None for anything else, such as a warning on stderr."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def encoded(message: dict[str, Any]) -> bytes:
    """Return the object as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def section(content: Any, *path: str) -> dict[str, Any]:
    """Return the object at a path of keys; empty if there is none."""
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def entries(content: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; empty if there is no list."""
    listed = content if isinstance(content, list) else []
    return [entry for entry in listed if isinstance(entry, dict)]


def text_of(content: Any) -> str:
    """Return the value if it is a string, else an empty string."""
    return content if isinstance(content, str) else ""


def amount(content: Any) -> float:
    """Return the value if it is a non-negative number, else 0."""
    is_number = isinstance(content, (int, float)) and not isinstance(content, bool)
    return max(0.0, float(content)) if is_number and math.isfinite(content) else 0.0


def nearer(text: str, folder: str) -> str:
    """Return the text with paths in the agent's own folder made relative to it."""
    return text.replace(folder.rstrip("/") + "/", "")


def wish(tool: str, subject: str, folder: str) -> str:
    """Return what an agent asks to do, phrased to follow "asks to"."""
    verb = _VERBS.get(tool, f"use {tool}" if tool else "use a tool")
    return f"{verb} {nearer(subject, folder)}".strip()


def scope_of(tool: str, command: str, touches: tuple[str, ...], given: dict[str, Any]) -> str:
    """Return what an "always" answer covers: exactly this command, these paths, or this input."""
    if tool in UNKNOWN_TOOLS:
        return ONLY_THIS
    if command or touches:
        return f"{tool}({command or ', '.join(touches)})"
    return f"{tool}({json.dumps(given, sort_keys=True)})" if given else ONLY_THIS


def shown(text: str, mark: str = "") -> list[str]:
    """Return a message as transcript lines, truncated if it is long."""
    cut = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + " …"
    margin = " " * len(mark)
    return [f"{margin if place else mark}{line}" for place, line in enumerate(cut.splitlines())]


def judge_error(text: str, status: int | None = None) -> Judgement:
    """Classify an agent's own error by its text and HTTP status."""
    if status in {401, 403} or (status is None and _AUTH.search(text)):
        return Judgement(FailureKind.AUTH, f"its login was rejected: {text}")
    if status in {429, 529} or (status is None and _LIMIT.search(text)):
        return Judgement(FailureKind.LIMIT, text)
    return Judgement(FailureKind.AGENT, text)


def silent_end(exited: Exited, last_words: str) -> Judgement:
    """Judge an agent that exited without a result."""
    how = f"exit {exited.exit_code}" if exited.signal is None else f"signal {exited.signal}"
    words = f"; its last message: {last_words[:300]}" if last_words else ""
    if exited.lost:
        return Judgement(FailureKind.LOST, f"its process vanished without a result{words}")
    return Judgement(FailureKind.AGENT, f"it ended without a result ({how}){words}")
