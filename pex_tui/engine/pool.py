"""Slots as plain asyncio tasks, for a run without a screen."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from pex_tui.core.model.ids import SlotId


class TaskPool:
    """A `SlotPool` that awaits each job as a task of its own, named after it."""

    async def run(
        self, slot: SlotId, name: str, job: Callable[[], Coroutine[Any, Any, int]]
    ) -> int:
        """Run the job; return its exit code once it has ended. Its errors are raised here."""
        return await asyncio.create_task(job(), name=f"slot-{slot}: {name}")
