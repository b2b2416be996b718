"""Slots as plain asyncio tasks, for a run without a screen."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from pex_tui.core.model.ids import SlotId


class TaskPool:
    """A `SlotPool` that runs each job as an asyncio task named after it."""

    async def run(
        self, slot: SlotId, name: str, job: Callable[[], Coroutine[Any, Any, int]]
    ) -> int:
        """Run the job and return its exit code; errors are raised to the caller."""
        return await asyncio.create_task(job(), name=f"slot-{slot}: {name}")
