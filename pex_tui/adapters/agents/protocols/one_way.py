"""Agents with a one-way protocol: the prompt is an argument, and no messages can be sent later."""

from typing import Any

from pex_tui.adapters.agents.protocols.checklist import Checklist, Item
from pex_tui.adapters.agents.protocols.protocol import (
    Heard,
    Say,
    json_object,
    judge_error,
    nearer,
    shown,
    silent_end,
    text_of,
)
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.engine.attempt import (
    Exited,
    Judgement,
    Limited,
    Progress,
    Spent,
)


class OneWayMachine:
    """The shared base of one-way machines; each adds the meaning of its own events."""

    def __init__(self, record: AgentRecord) -> None:
        self._record = record
        self._session = ""
        self._list = Checklist()
        self._calls: set[str] = set()
        self._verdict: Judgement | None = None
        self._cost = record.cost_before
        self._spendings = 0
        self.fatal: Judgement | None = None
        self.last_words = ""

    @property
    def session(self) -> str:
        """The agent's own id of the session, once known."""
        return self._session

    @property
    def spent_usd(self) -> float:
        """The cost as reported."""
        return self._cost

    @property
    def is_over(self) -> bool:
        """Always True: the agent exits by itself."""
        return False

    @property
    def is_busy(self) -> bool:
        """True while a tool runs."""
        return bool(self._calls)

    @property
    def asks(self) -> bool:
        """Always False: the protocol has no permission requests."""
        return False

    @property
    def listens(self) -> bool:
        """Always False: the protocol takes no messages."""
        return False

    def opening(self) -> list[Say]:
        """Return nothing: the prompt is an argument."""
        return []

    def key_of(self, line: bytes) -> str | None:
        """Return None: no line is ever sent."""
        del line
        return None

    def answer(self, request: str, verdict: Verdict) -> Say | None:
        """Return None: there are no questions to answer."""
        del request, verdict
        return None

    def message(self, text: str) -> list[Say] | None:
        """Return None: the agent takes no messages."""
        del text
        return None

    def interrupt(self) -> Say | None:
        """Return None: only a signal interrupts the agent."""
        return None

    def hear(self, line: bytes) -> Heard:
        """Interpret one event of the stream."""
        heard = Heard()
        event = json_object(line)
        if event is None:
            heard.shown += shown(line.decode("utf-8", "replace").rstrip())
            return heard
        self._event(event, heard)
        progress = Progress(self._list.fraction, self._list.activity)
        heard.reports.append(progress)
        return heard

    def judge(self, exited: Exited) -> Judgement:
        """Judge by the agent's result event; exit code 0 without one is a failure."""
        return self._verdict or silent_end(exited, self.last_words)

    def _event(self, event: dict[str, Any], heard: Heard) -> None:
        raise NotImplementedError

    def _says(self, text: str, heard: Heard) -> None:
        text = text.strip()
        if text:
            self.last_words = text
            self._list.latest = text.partition("\n")[0]
            heard.shown += shown(text)

    def _plans(self, todos: list[dict[str, Any]], title: str) -> None:
        self._list.replace(
            [Item(text_of(todo.get(title)), text_of(todo.get("status"))) for todo in todos]
        )

    def _begins(self, call: str, title: str, heard: Heard) -> None:
        if call and call not in self._calls:
            self._calls.add(call)
            self._list.latest = nearer(title, self._record.cwd)
            heard.shown += shown(self._list.latest, "● ")

    def _spends(self, tokens: int, cost: float | None, heard: Heard) -> None:
        self._spendings += 1
        self._cost += cost or 0.0
        heard.reports.append(Spent(tokens, cost, self._spendings))

    def _fails(self, text: str, heard: Heard) -> None:
        self._verdict = judge_error(text or "an error without a message")
        heard.shown += shown(text, "✗ ")
        if self._verdict.failure is FailureKind.LIMIT:
            heard.reports.append(Limited(None, text))

    def _succeeds(self, heard: Heard) -> None:
        self._calls.clear()
        self._verdict = Judgement(None)
        heard.shown.append("= done")
