"""Events of permissions, messages and spending of agents."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.task_state import Verdict


class AgentSpent(BaseEvent, frozen=True):
    """Usage of the agent's model since the last such event; `cost_usd` is None if not reported.

    `number` counts these events of an attempt from 1, so that none is counted twice after a crash.
    """

    task: TaskId
    attempt: int
    tokens: int
    cost_usd: float | None = None
    number: int = 0


class AgentLimited(BaseEvent, frozen=True):
    """The agent's provider refuses requests for this many seconds; None if it does not say."""

    task: TaskId
    attempt: int
    wait_seconds: float | None
    detail: str


class BudgetExtended(BaseEvent, frozen=True):
    """A person let the run spend its budget once more."""

    by: str


class PermissionAsked(BaseEvent, frozen=True):
    """An agent asks for permission and waits for the answer.

    `request` is the agent's identifier of the question, `tool` the tool it wants to use, `touches`
    the paths or commands concerned, `scope` what an answer of "always" covers (the title, when
    empty). `edits` means that only files of its workspace change; `announced` means that the edit
    needs no approval and only waits for its turn.
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
    """A permission was decided by a person, or denied because the run is unattended."""

    task: TaskId
    request: str
    verdict: Verdict
    by: str


class SteeringRefused(BaseEvent, frozen=True):
    """A task's process made a request that only a person may make; reported once per request."""

    task: TaskId
    request: str


class MessageSent(BaseEvent, frozen=True):
    """A person sent a message to a running agent."""

    task: TaskId
    text: str
    by: str


TalkEvent = (
    PermissionAsked | PermissionDecided | MessageSent | SteeringRefused | AgentSpent | AgentLimited
)
"""Events of an agent's permissions, messages and usage."""
