"""Messages from screens and widgets to the app, and from the engine to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from pex_tui.core.events.run_events import Event
    from pex_tui.core.model.ids import TaskId
    from pex_tui.core.model.state import RunState
    from pex_tui.engine.session import PlanDraft, RunSession


@dataclass
class StatePublished(Message):
    """The engine has a new state; unread older states are dropped."""

    state: RunState

    def can_replace(self, message: Message) -> bool:
        """Return whether this message supersedes the earlier one."""
        return isinstance(message, StatePublished)


@dataclass
class Steer(Message):
    """A person's request to the run."""

    events: tuple[Event, ...]


@dataclass
class SessionOpened(Message):
    """A run to drive and show."""

    session: RunSession


@dataclass
class DraftOpened(Message):
    """A plan to review."""

    draft: PlanDraft


class DemoWanted(Message):
    """The app is to be left for the demo."""


class InboxWanted(Message):
    """A request for the inbox of agents' questions."""


@dataclass
class ConflictWanted(Message):
    """A request to resolve a conflict; without a task, the oldest open one."""

    task: TaskId | None = None
