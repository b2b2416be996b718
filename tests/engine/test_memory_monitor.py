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
    """Return the pressure after each reading, with a star where an event told it.

    Readings without a time are half a second apart.
    """
    shown = []
    for number, reading in enumerate(readings):
        timed = reading if reading.at else replace(reading, at=number / 2)
        told = [e for e in monitor.events(state, timed) if isinstance(e, MemoryPressed)]
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
    readings = [left(0.8), *[left(10)] * 8]

    assert pressures(monitor, run(GIB), *readings) == [
        *("short*", "short", "short", "short"),
        *("tight*", "tight", "tight", "easy*", "easy"),
    ]


def test_a_little_more_room_than_a_level_asks_for_neither_ends_it_nor_goes_on_with_it() -> None:
    readings = [left(0.9), *[left(1.1)] * 9]

    assert set(pressures(MemoryMonitor(), run(GIB), *readings)) == {"short*", "short"}


def test_every_reading_asks_for_the_next_measure_while_memory_is_short() -> None:
    assert pressures(MemoryMonitor(), run(GIB), left(0.3), left(0.3)) == ["critical*", "critical*"]


def test_waiting_for_memory_counts_only_while_little_of_it_is_left() -> None:
    assert pressures(MemoryMonitor(), run(GIB), left(4, 0.2)) == ["tight*"]
    assert pressures(MemoryMonitor(), run(GIB), left(4, 0.5)) == ["short*"]
    assert pressures(MemoryMonitor(), run(GIB), left(12, 0.9)) == ["easy"]


def at(seconds: float, gigabytes: float, total: int = 24) -> MemoryReading:
    used = ((TaskId("t0"), GIB),)
    return MemoryReading(total * GIB, int(gigabytes * GIB), 0.0, used, seconds)


def test_memory_that_goes_fast_is_short_before_little_is_left() -> None:
    readings = [at(1.0, 11.9), at(1.5, 7.9), at(2.0, 7.8)]  # 8 GB in a second, then a pause

    assert pressures(MemoryMonitor(), run(GIB), *readings) == ["easy", "short*", "short"]
    assert pressures(MemoryMonitor(), run(GIB), at(1.0, 11.0), at(1.5, 5.0)) == [
        *("easy", "critical*"),
    ]


def test_memory_that_goes_slowly_or_comes_back_is_judged_by_what_is_left() -> None:
    readings = [at(1.0, 6.0), at(2.0, 4.0), at(2.5, 11.0), at(2.5, 4.0)]

    assert pressures(MemoryMonitor(), run(GIB), *readings) == ["easy"] * 4


def test_a_program_that_takes_its_share_of_plenty_pauses_nobody() -> None:
    assert pressures(MemoryMonitor(), run(GIB), at(1.0, 22.0), at(1.1, 18.0)) == ["easy"] * 2


def test_the_levels_of_a_small_machine_leave_time_to_act() -> None:
    assert pressures(MemoryMonitor(), run(GIB), at(1.0, 0.19, 1)) == ["tight*"]
    assert pressures(MemoryMonitor(), run(GIB), at(1.0, 0.09, 1)) == ["short*"]
    assert pressures(MemoryMonitor(), run(GIB), at(1.0, 0.04, 1)) == ["critical*"]


def interval(reading: MemoryReading) -> float:
    monitor = MemoryMonitor()
    monitor.events(run(GIB), reading)
    return monitor.interval_seconds


def test_readings_are_the_more_frequent_the_less_is_left() -> None:
    assert interval(left(20)) == 2.0
    assert interval(left(3)) == 1.0
    assert interval(left(1.75)) == 0.375
    assert interval(left(0.3)) == 0.1
