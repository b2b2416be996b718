"""What has happened and was not looked at yet."""

import asyncio
from collections import deque

from pex_tui.core.events.run_events import Event


class EventQueue:
    """Events in order of arrival; one reader on the loop, writers on the loop."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._arrived = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)
        self._arrived.set()

    def take(self) -> list[Event]:
        """Return all events that are there."""
        events = list(self._events)
        self._events.clear()
        self._arrived.clear()
        return events

    def wake(self) -> None:
        """Have the reader look again though no event is there."""
        self._arrived.set()

    async def wait(self) -> None:
        """Return once an event is there, or somebody wakes the reader."""
        await self._arrived.wait()
