"""What is journaled of measured memory: enough to decide by, and no more."""

from msgspec.structs import replace

from pex_tui.core.events.memory_events import MemoryEvent, MemoryMeasured, MemoryPressed
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.memory import MemoryState, Pressure
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.state import RunState
from pex_tui.core.step import step
from pex_tui.engine.memory_monitor import MemoryMonitor, MemoryReading, budget_of
from tests.core.world import World, task

GIB = 1024**3
PLENTY = MemoryReading(24 * GIB, 20 * GIB)


def run(*sizes: int) -> RunState:
    world = World(Plan(tuple(task(f"t{n}", memory_bytes=one) for n, one in enumerate(sizes))))
    for name in sorted(world.started()):
        world.run(name)
    return replace(world.state, memory=MemoryState(budget_of(PLENTY)))


def left(gigabytes: float, stalled: float = 0.0) -> MemoryReading:
    return MemoryReading(24 * GIB, int(gigabytes * GIB), stalled, ((TaskId("t0"), GIB),))


def pressures(monitor: MemoryMonitor, state: RunState, *readings: MemoryReading) -> list[str]:
    """Return the pressure after each reading, with a star where an event told it."""
    shown = []
    for reading in readings:
        told = [e for e in monitor.events(state, reading) if isinstance(e, MemoryPressed)]
        for event in told:
            state, _ = step(state, replace(event, at=state.now + 1))
        now = state.memory.pressure if state.memory else Pressure.EASY
        shown.append(f"{now}{'*' if told else ''}")
    return shown


def budgets(events: list[MemoryEvent]) -> list[int]:
    return [event.budget_bytes for event in events if isinstance(event, MemoryMeasured)]


def test_the_first_reading_is_journaled() -> None:
    state = replace(run(GIB), memory=None)

    assert budgets(MemoryMonitor().events(state, PLENTY)) == [18 * GIB]


def test_what_agents_use_already_is_part_of_the_budget() -> None:
    assert budget_of(left(10)) == (10 + 1 - 2) * GIB


def test_a_change_that_no_task_could_notice_is_not_journaled() -> None:
    monitor = MemoryMonitor()
    monitor.events(replace(run(GIB), memory=None), PLENTY)

    assert monitor.events(run(GIB), left(16)) == []


def test_a_change_that_leaves_a_task_without_room_is_journaled() -> None:
    monitor = MemoryMonitor()
    state = run(GIB, 10 * GIB)
    monitor.events(replace(state, memory=None), PLENTY)

    assert budgets(monitor.events(state, left(10))) == [9 * GIB]


def test_pressure_rises_at_once_and_falls_a_level_at_a_time_after_a_calm() -> None:
    monitor = MemoryMonitor()
    readings = [left(10), left(0.8), *[left(10)] * 7]

    assert pressures(monitor, run(GIB), *readings) == [
        *("easy", "short*", "short*", "short*", "tight*", "tight", "tight", "easy*", "easy"),
    ]


def test_a_little_more_room_than_a_level_asks_for_does_not_end_it() -> None:
    readings = [left(0.9), *[left(1.1)] * 9]

    assert set(pressures(MemoryMonitor(), run(GIB), *readings)) == {"short*"}


def test_every_reading_asks_for_the_next_measure_while_memory_is_short() -> None:
    assert pressures(MemoryMonitor(), run(GIB), left(0.3), left(0.3)) == ["critical*", "critical*"]


def test_waiting_for_memory_counts_only_while_little_of_it_is_left() -> None:
    assert pressures(MemoryMonitor(), run(GIB), left(4, 0.2)) == ["tight*"]
    assert pressures(MemoryMonitor(), run(GIB), left(4, 0.5)) == ["short*"]
    assert pressures(MemoryMonitor(), run(GIB), left(12, 0.9)) == ["easy"]


def test_readings_are_more_frequent_while_memory_is_short() -> None:
    monitor = MemoryMonitor()
    calm = monitor.interval_seconds
    monitor.events(run(GIB), left(0.3))

    assert monitor.interval_seconds < calm
