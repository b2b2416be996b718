"""The queue of events that the engine has not applied yet."""

import asyncio
from collections import deque

from pex_tui.core.events.run_events import Event


class EventQueue:
    """Events in order of arrival; reader and writers are on the same loop."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._arrived = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)
        self._arrived.set()

    def take(self) -> list[Event]:
        """Return and remove all events."""
        events = list(self._events)
        self._events.clear()
        self._arrived.clear()
        return events

    def wake(self) -> None:
        """Wake the reader although there is no event."""
        self._arrived.set()

    async def wait(self) -> None:
        """Return once there is an event, or after `wake`."""
        await self._arrived.wait()
