"""Agents that only tell: their prompt is an argument, and nothing can be said to them later."""

from typing import Any

from pex_tui.adapters.agents.protocols.checklist import Checklist, Item
from pex_tui.adapters.agents.protocols.protocol import (
    Heard,
    Say,
    judge_error,
    nearer,
    parsed,
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


class Monologue:
    """What the dialects of such agents share; each adds what its own events mean."""

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
        """The agent's own name for the session, once it has told it."""
        return self._session

    @property
    def spent_usd(self) -> float:
        """The cost as told."""
        return self._cost

    @property
    def is_over(self) -> bool:
        """It ends by itself."""
        return False

    @property
    def is_busy(self) -> bool:
        """While a tool runs."""
        return bool(self._calls)

    @property
    def asks(self) -> bool:
        """It can't."""
        return False

    @property
    def listens(self) -> bool:
        """It does not."""
        return False

    def opening(self) -> list[Say]:
        """Nothing."""
        return []

    def key_of(self, line: bytes) -> str | None:
        """Nothing is ever said."""
        del line
        return None

    def answer(self, request: str, verdict: Verdict) -> Say | None:
        """Nothing was asked."""
        del request, verdict
        return None

    def message(self, text: str) -> list[Say] | None:
        """Nothing is heard."""
        del text
        return None

    def interrupt(self) -> Say | None:
        """A signal has to do."""
        return None

    def hear(self, line: bytes) -> Heard:
        """One event of its stream."""
        heard = Heard()
        event = parsed(line)
        if event is None:
            heard.shown += shown(line.decode("utf-8", "replace").rstrip())
            return heard
        self._event(event, heard)
        progress = Progress(self._list.fraction, self._list.activity)
        heard.reports.append(progress)
        return heard

    def judge(self, exited: Exited) -> Judgement:
        """By its own last word; an exit code of 0 without one is no success."""
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
        self._verdict = judge_error(text or "an error without words")
        heard.shown += shown(text, "✗ ")
        if self._verdict.failure is FailureKind.LIMIT:
            heard.reports.append(Limited(None, text))

    def _succeeds(self, heard: Heard) -> None:
        self._calls.clear()
        self._verdict = Judgement(None)
        heard.shown.append("= done")
