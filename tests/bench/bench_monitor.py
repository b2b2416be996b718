"""The monitor's cost: CPU per tick with ten changing agents, and time from key to paint."""

import asyncio
import statistics
import time

import pytest
from msgspec.structs import replace

from pex_tui.core.model.state import RunState
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.monitor import MonitorScreen
from tests.tui import states
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on

TICKS = 50
MOVES = 200
HERTZ = 9.5  # just below the app's maximum rate
MOST_CPU_MS = 4.0
SIZE = (120, 40)

pytestmark = pytest.mark.bench


def tick(state: RunState, number: int) -> RunState:
    """Return a state in which every agent has a new activity and some progress."""
    tasks = tuple(
        replace(task, activity=f"Step {number} of {task.id}", progress=number % 100 / 100)
        for task in state.tasks
    )
    return replace(state, tasks=tasks, seq=state.seq + 1, now=state.now + number / HERTZ)


def live() -> RunState:
    """Return ten running agents."""
    model = states.busy().tasks[0]
    tasks = tuple(replace(model, id=task.id) for task in states.busy().tasks)
    return replace(states.busy(), tasks=tasks, conflicts=(), capacity=10)


async def started(app: PexApp, pause: object) -> None:
    while not isinstance(app.screen, MonitorScreen):
        await pause()  # type: ignore[operator]  # the pilot's pause
    await pause()  # type: ignore[operator]  # likewise


async def test_a_tick_with_ten_changing_agents_is_cheap() -> None:
    state = live()
    session = ScriptedSession(state)
    app = app_on(ScriptedService(session), start=session, symbols="line", now=lambda: state.now)
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot.pause)
        await asyncio.sleep(1)
        before = time.process_time()
        await asyncio.sleep(TICKS / HERTZ)
        idle = time.process_time() - before
        coming = [tick(state, number) for number in range(TICKS)]
        before = time.process_time()
        for state in coming:  # the app's clock reads it
            session.publish(state)
            await asyncio.sleep(1 / HERTZ)
        busy = time.process_time() - before
    share = idle / (TICKS / HERTZ)
    cost = (busy - idle) / TICKS * 1000
    print(f"\nmonitor: {cost:.2f} ms CPU a tick at {HERTZ} Hz; idle {share:.2%} of a core")
    assert cost <= MOST_CPU_MS


async def test_moving_the_cursor_is_quick() -> None:
    state = live()
    session = ScriptedSession(state)
    app = app_on(ScriptedService(session), start=session, symbols="line", now=lambda: state.now)
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot.pause)
        costs = []
        for number in range(MOVES):
            before = time.process_time()
            app.screen.focused.action_go(1 if number % 18 < 9 else -1)  # type: ignore[union-attr]
            await pilot._wait_for_screen()
            costs.append((time.process_time() - before) * 1000)
    median = statistics.median(costs)
    print(f"\ncursor: {median:.2f} ms CPU a move (median of {MOVES}), worst {max(costs):.1f} ms")
    assert median <= 2 * MOST_CPU_MS
