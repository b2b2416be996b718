"""Slots as Textual workers: each agent's job runs as a worker of the app."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from textual.app import App
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from pex_tui.core.model.ids import SlotId


class WorkerPool:
    """A `SlotPool` whose slots are worker groups; a boost adds slots.

    The workers belong to the app: those of a screen or widget end when it is removed.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app

    async def run(
        self, slot: SlotId, name: str, job: Callable[[], Coroutine[Any, Any, int]]
    ) -> int:
        """Run the job as a worker of group `slot-<n>`; return its exit code once it has ended.

        Errors of the job are raised here; a cancelled worker raises CancelledError.
        """

        async def work() -> int:
            return await job()

        worker: Worker[int] = self._app.run_worker(
            work, name=name, group=f"slot-{slot}", exit_on_error=False
        )
        try:
            return await worker.wait()
        except WorkerFailed as failed:
            raise failed.error from None
        except WorkerCancelled as cancelled:
            raise asyncio.CancelledError(f"slot {slot}: {name} was cancelled") from cancelled
