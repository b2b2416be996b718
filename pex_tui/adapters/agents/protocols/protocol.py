"""What a dialect is: an agent's protocol as a machine without any input or output of its own.

A dialect hears the agent's lines one by one and says what they mean and what is to be answered.
It never remembers across a crash: the next engine feeds it the whole log again, and every line that
it would say has a key, so that what is in the input's log already is not said twice.
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
"""What the key of an answer starts with; the request's own name follows."""

LONGEST_SHOWN = 2000
"""Characters of one message that a transcript shows."""

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
    """One line for the agent. One that `waits` is kept back while the agent is paused."""

    key: str
    line: bytes
    waits: bool = False


class Heard(Struct):
    """What came of a line: reports for the engine, answers, and lines of the transcript."""

    reports: list[AgentReport] = field(default_factory=list)
    says: list[Say] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)


class Dialect(Protocol):
    """One attempt's side of the talk; see `conversation` for who feeds it."""

    fatal: Judgement | None
    """Set once going on makes no sense, such as without a login: the agent is then stopped."""

    @property
    def session(self) -> str:
        """What a later attempt can continue; empty until the agent has begun one."""
        ...

    @property
    def spent_usd(self) -> float:
        """The cost of the whole session so far, as the agent counts it."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether it has done what it was told, so that its input may end."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether it waits for something besides its model: a tool, a person."""
        ...

    @property
    def asks(self) -> bool:
        """Whether it waits for a person's answer."""
        ...

    @property
    def listens(self) -> bool:
        """Whether it can be told anything once it runs."""
        ...

    @property
    def last_words(self) -> str:
        """The text that it said last."""
        ...

    def opening(self) -> list[Say]:
        """What starts the talk."""
        ...

    def hear(self, line: bytes) -> Heard:
        """One line of its output, in order."""
        ...

    def key_of(self, line: bytes) -> str | None:
        """The key of a line that was said, read back from the input's log."""
        ...

    def answer(self, request: str, verdict: Verdict) -> Say | None:
        """The answer to what it asked; None when it did not ask that."""
        ...

    def message(self, text: str) -> list[Say] | None:
        """A person's message: what to say now, nothing yet when it has to wait, None for never."""
        ...

    def interrupt(self) -> Say | None:
        """What ends its turn politely; None when only a signal can."""
        ...

    def judge(self, exited: Exited) -> Judgement:
        """How it ended, once it is gone and all that it said was heard."""
        ...


def parsed(line: bytes) -> dict[str, Any] | None:
    """The JSON object in a line, or None for anything else, such as a warning on stderr."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def encoded(message: dict[str, Any]) -> bytes:
    """The object as a line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def section(content: Any, *path: str) -> dict[str, Any]:
    """The object at a path of keys; empty where there is none."""
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def entries(content: Any) -> list[dict[str, Any]]:
    """The objects of a list; empty where there is no list."""
    listed = content if isinstance(content, list) else []
    return [entry for entry in listed if isinstance(entry, dict)]


def text_of(content: Any) -> str:
    """A string, or the empty one."""
    return content if isinstance(content, str) else ""


def amount(content: Any) -> float:
    """A number that is not negative; 0 for anything else."""
    is_number = isinstance(content, (int, float)) and not isinstance(content, bool)
    return max(0.0, float(content)) if is_number and math.isfinite(content) else 0.0


def nearer(text: str, folder: str) -> str:
    """The text with the paths of the agent's own folder made relative to it."""
    return text.replace(folder.rstrip("/") + "/", "")


def wish(tool: str, subject: str, folder: str) -> str:
    """What an agent asks to do, as it follows "asks to"."""
    verb = _VERBS.get(tool, f"use {tool}" if tool else "use a tool")
    return f"{verb} {nearer(subject, folder)}".strip()


def scope_of(tool: str, command: str, touches: tuple[str, ...], given: dict[str, Any]) -> str:
    """What an answer for always covers: this very command, these very places, or this input."""
    if tool in UNKNOWN_TOOLS:
        return ONLY_THIS
    if command or touches:
        return f"{tool}({command or ', '.join(touches)})"
    return f"{tool}({json.dumps(given, sort_keys=True)})" if given else ONLY_THIS


def shown(text: str, mark: str = "") -> list[str]:
    """A message as lines of a transcript, cut where it is long."""
    cut = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + " …"
    margin = " " * len(mark)
    return [f"{margin if place else mark}{line}" for place, line in enumerate(cut.splitlines())]


def judge_error(text: str, status: int | None = None) -> Judgement:
    """What an agent's own error means for trying again."""
    if status in {401, 403} or (status is None and _AUTH.search(text)):
        return Judgement(FailureKind.AUTH, f"its login is refused: {text}")
    if status in {429, 529} or (status is None and _LIMIT.search(text)):
        return Judgement(FailureKind.LIMIT, text)
    return Judgement(FailureKind.AGENT, text)


def silent_end(exited: Exited, last_words: str) -> Judgement:
    """An agent that went without a result."""
    how = f"exit {exited.exit_code}" if exited.signal is None else f"signal {exited.signal}"
    words = f"; its last words: {last_words[:300]}" if last_words else ""
    if exited.lost:
        return Judgement(FailureKind.LOST, f"its process vanished without a result{words}")
    return Judgement(FailureKind.AGENT, f"it ended without a result ({how}){words}")
