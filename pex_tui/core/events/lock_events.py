"""Events of named locks that agents take while they work."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.ids import ClaimId, TaskId
from pex_tui.core.model.plan import LockRequest


class LockAsked(BaseEvent, frozen=True):
    """A process of the attempt wants all of these locks at once.

    `claim` identifies the request, `within` the claims in whose command the process runs. It gives
    up after `wait_seconds`, None for never. A process that reconnects to a new engine asks again.
    """

    task: TaskId
    attempt: int
    claim: ClaimId
    locks: tuple[LockRequest, ...]
    within: tuple[ClaimId, ...] = ()
    wait_seconds: float | None = None


class LockReleased(BaseEvent, frozen=True):
    """The process has ended, or no longer wants the locks."""

    claim: ClaimId


LockEvent = LockAsked | LockReleased
"""Events of the named locks that processes of tasks take."""
