"""The contract of every slot pool, Textual's workers and plain tasks alike."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from textual.app import App

from pex_tui.core.model.ids import SlotId
from pex_tui.engine.pool import TaskPool
from pex_tui.engine.ports import SlotPool
from pex_tui.tui.workers import WorkerPool
from tests.waiting import patience


@pytest.fixture(params=["tasks", "workers"])
async def pool(request: pytest.FixtureRequest) -> AsyncIterator[SlotPool]:
    if request.param == "tasks":
        yield TaskPool()
        return
    app: App[None] = App()
    async with app.run_test():
        yield WorkerPool(app)


async def test_a_slot_returns_the_exit_code_of_its_job(pool: SlotPool) -> None:
    async def job() -> int:
        return 7

    assert await pool.run(SlotId(1), "seven", job) == 7


async def test_an_error_of_the_job_is_raised_where_the_slot_is_awaited(pool: SlotPool) -> None:
    async def job() -> int:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        await pool.run(SlotId(1), "faulty", job)


async def test_a_slot_is_free_only_when_its_job_has_cleaned_up(pool: SlotPool) -> None:
    trace: list[str] = []

    async def job() -> int:
        try:
            return 0
        finally:
            await asyncio.sleep(0)
            trace.append("cleaned up")

    await pool.run(SlotId(1), "tidy", job)
    trace.append("free")
    assert trace == ["cleaned up", "free"]


async def test_slots_run_side_by_side(pool: SlotPool) -> None:
    barrier = asyncio.Barrier(3)

    async def job() -> int:
        await barrier.wait()
        return 0

    runs = (pool.run(SlotId(number), f"job {number}", job) for number in range(1, 4))
    async with patience():
        assert await asyncio.gather(*runs) == [0, 0, 0]


async def test_cancelling_the_caller_ends_the_job_before_it_returns(pool: SlotPool) -> None:
    begun = asyncio.Event()
    trace: list[str] = []

    async def job() -> int:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            trace.append("job ended")
        return 0

    caller = asyncio.ensure_future(pool.run(SlotId(1), "long", job))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert trace == ["job ended"]


async def test_cancelling_before_the_first_tick_never_runs_the_job(pool: SlotPool) -> None:
    trace: list[str] = []

    async def job() -> int:
        trace.append("ran")
        return 0

    caller = asyncio.ensure_future(pool.run(SlotId(1), "never", job))
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.sleep(0)
    assert trace == []


async def test_a_slot_can_be_used_again_after_a_failure(pool: SlotPool) -> None:
    async def bad() -> int:
        raise RuntimeError("first")

    async def good() -> int:
        return 0

    with pytest.raises(RuntimeError):
        await pool.run(SlotId(1), "first", bad)
    assert await pool.run(SlotId(1), "second", good) == 0


async def test_workers_of_a_cancelled_group_end_their_callers() -> None:
    app: App[None] = App()
    begun = asyncio.Event()

    async def job() -> int:
        begun.set()
        await asyncio.Event().wait()
        return 0

    async with app.run_test():
        caller = asyncio.ensure_future(WorkerPool(app).run(SlotId(3), "long", job))
        await begun.wait()
        app.workers.cancel_group(app, "slot-3")
        with pytest.raises(asyncio.CancelledError):
            await caller
