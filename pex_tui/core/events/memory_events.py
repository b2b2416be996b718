"""Events of the machine's memory, as the engine measures it."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.memory import Pressure


class MemoryMeasured(BaseEvent, frozen=True):
    """The memory that agents may use together; `used` is what those at work need of it by now.

    It is measured at the start of a run and reported again when it has changed enough to matter.
    """

    budget_bytes: int
    used: tuple[tuple[TaskId, int], ...] = ()


class MemoryPressed(BaseEvent, frozen=True):
    """The pressure on the machine's memory changed, or still asks for the next measure against it.

    `used` is the memory of the tasks at work, in bytes.
    """

    pressure: Pressure
    available_bytes: int
    used: tuple[tuple[TaskId, int], ...] = ()


MemoryEvent = MemoryMeasured | MemoryPressed
"""Events of the machine's memory."""
