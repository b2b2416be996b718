"""The system's clock, which never runs backwards while an engine lives."""

import asyncio
import time


class SystemClock:
    """Absolute seconds: the wall clock at the start, then the monotonic one."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Absolute seconds."""
        return time.monotonic() + self._offset

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)
