"""Events of what agents ask and spend, and of what people answer and tell them."""

from dataclasses import dataclass

from pex_tui.core.base_event import BaseEvent
from pex_tui.core.ids import TaskId
from pex_tui.core.state import Verdict


@dataclass(frozen=True, slots=True)
class AgentSpent(BaseEvent):
    """What its model used since the last such event; the cost is None where nobody tells it."""

    task: TaskId
    attempt: int
    tokens: int
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class PermissionAsked(BaseEvent):
    """An agent wants to do something and waits for the answer.

    `request` is its own name for the question, `tool` what it would use, `touches` the paths or
    commands concerned, `scope` what an answer for always would cover (the title, when empty).
    """

    task: TaskId
    attempt: int
    request: str
    tool: str
    title: str
    touches: tuple[str, ...] = ()
    scope: str = ""


@dataclass(frozen=True, slots=True)
class PermissionDecided(BaseEvent):
    """A person answered, or nobody was there to ask."""

    task: TaskId
    request: str
    verdict: Verdict
    by: str


@dataclass(frozen=True, slots=True)
class MessageSent(BaseEvent):
    """A person says something to a running agent."""

    task: TaskId
    text: str
    by: str
