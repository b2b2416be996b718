"""Events of rollbacks: landings that a person undoes, and brings back."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.ids import CommitId, TaskId


class RollbackBegun(BaseEvent, frozen=True):
    """The landings of these tasks are about to be undone; `undo` names the undo log's entry."""

    undo: str
    tasks: tuple[TaskId, ...]
    by: str


class RunRolledBack(BaseEvent, frozen=True):
    """The landings of these tasks are undone: the integration branch is at `tip`.

    `target` is the user's branch that now undoes them at `commit`; empty and None if it had none.
    """

    undo: str
    tasks: tuple[TaskId, ...]
    tip: CommitId
    target: str
    commit: CommitId | None
    by: str


class RollbackUndone(BaseEvent, frozen=True):
    """The landings of these tasks are back, in the same form as before; `tip` holds them.

    `target` is the user's branch that has them again at `commit`; empty and None if it had none.
    """

    undo: str
    tasks: tuple[TaskId, ...]
    tip: CommitId
    target: str
    commit: CommitId | None
    by: str


class RollbackRefused(BaseEvent, frozen=True):
    """The rollback that had begun did not happen, and nothing was changed."""

    undo: str
    reason: str


RollbackEvent = RollbackBegun | RunRolledBack | RollbackUndone | RollbackRefused
"""Events of rollbacks."""
