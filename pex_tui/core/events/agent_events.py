"""Events of what agents ask and spend, and of what people answer and tell them."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.task_state import Verdict


class AgentSpent(BaseEvent, frozen=True):
    """What its model used since the last such event; the cost is None where nobody tells it.

    `number` counts these events of an attempt from 1, so that none counts twice after a crash.
    """

    task: TaskId
    attempt: int
    tokens: int
    cost_usd: float | None = None
    number: int = 0


class AgentLimited(BaseEvent, frozen=True):
    """Its model's provider takes no more for so many seconds, None where it does not say."""

    task: TaskId
    attempt: int
    wait_seconds: float | None
    detail: str


class BudgetExtended(BaseEvent, frozen=True):
    """A person lets the run use as much again as its budget was."""

    by: str


class PermissionAsked(BaseEvent, frozen=True):
    """An agent wants to do something and waits for the answer.

    `request` is its own name for the question, `tool` what it would use, `touches` the paths or
    commands concerned, `scope` what an answer for always would cover (the title, when empty).
    `edits` means that it would only change files of its own workspace, `announced` that nobody has
    to allow that: it only waits for its turn.
    """

    task: TaskId
    attempt: int
    request: str
    tool: str
    title: str
    touches: tuple[str, ...] = ()
    scope: str = ""
    edits: bool = False
    announced: bool = False


class PermissionDecided(BaseEvent, frozen=True):
    """A person answered, or nobody was there to ask."""

    task: TaskId
    request: str
    verdict: Verdict
    by: str


class SteeringRefused(BaseEvent, frozen=True):
    """A process of a task asked for what only a person may ask; told once for each request."""

    task: TaskId
    request: str


class MessageSent(BaseEvent, frozen=True):
    """A person says something to a running agent."""

    task: TaskId
    text: str
    by: str


TalkEvent = (
    PermissionAsked | PermissionDecided | MessageSent | SteeringRefused | AgentSpent | AgentLimited
)
"""What an agent asks, is told and spends."""
