"""What screens and widgets tell the app; what the engine tells it."""

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
    """The engine has a new state; a newer one makes an unread one worthless."""

    state: RunState

    def can_replace(self, message: Message) -> bool:
        """Whether this message stands for the earlier one as well."""
        return isinstance(message, StatePublished)


@dataclass
class Steer(Message):
    """A person asks something of the run."""

    events: tuple[Event, ...]


@dataclass
class SessionOpened(Message):
    """A run is to be driven and watched."""

    session: RunSession


@dataclass
class DraftOpened(Message):
    """A plan is to be reviewed."""

    draft: PlanDraft


class DemoWanted(Message):
    """The app is to be left for the demo."""


class InboxWanted(Message):
    """Agents' questions are to be answered."""


@dataclass
class ConflictWanted(Message):
    """A conflict is to be settled; without a task, the oldest open one."""

    task: TaskId | None = None
