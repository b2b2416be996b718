"""The monitor of the machine's memory: it measures, and journals what decisions need to know."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from pex_tui.core.events.memory_events import MemoryEvent, MemoryMeasured, MemoryPressed
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.memory import Pressure, needed_bytes, reserved_bytes
from pex_tui.core.model.phases import TERMINAL
from pex_tui.core.model.state import RunState

_REST_SECONDS, _ALERT_SECONDS, _LEAST_SECONDS = 2.0, 0.5, 0.1  # between two readings
_MEGABYTE = 1024**2
_FASTEST = 2048 * _MEGABYTE  # bytes in a second: what programs fill at most
_LEVELS = (  # a share of the machine's memory, and the most that it stands for
    (Pressure.CRITICAL, 0.05, 384 * _MEGABYTE),
    (Pressure.SHORT, 0.1, 1024 * _MEGABYTE),
    (Pressure.TIGHT, 0.2, 2048 * _MEGABYTE),
)
_GONE_SOON = ((Pressure.CRITICAL, 0.5), (Pressure.SHORT, 1.5))  # seconds, at the last pace
_ORDER = (Pressure.EASY, Pressure.TIGHT, Pressure.SHORT, Pressure.CRITICAL)
_ACTED_ON = frozenset({Pressure.SHORT, Pressure.CRITICAL})  # again at each reading of them
_RELIEF = 1.3  # so much more than its threshold ends a level
_CALM_SECONDS = 1.5  # before a level ends
_STALLED_TIGHT, _STALLED_SHORT = 0.1, 0.3  # of the time, with little memory left
_LITTLE = 0.2  # of the machine's memory: more, and a stall is an agent's at its own limit
_AMPLE = 0.5  # of the machine's memory: more, and nobody is paused for the pace
_LEAST_CHANGE = 64 * _MEGABYTE
_LEAST_SHARE = 0.05


class MemoryReading(Struct, frozen=True):
    """The machine's memory in bytes, the share of time that programs waited for it, and its use.

    `at` is the time of the reading in seconds, by a clock that only goes forward.
    """

    total_bytes: int
    available_bytes: int
    stalled: float = 0.0
    used: tuple[tuple[TaskId, int], ...] = ()
    at: float = 0.0


class MemoryProbe(Protocol):
    """Measures memory."""

    def read(self, roots: Mapping[TaskId, int]) -> MemoryReading:
        """Return the machine's memory and the use of the trees with these root pids."""
        ...


def budget_of(reading: MemoryReading) -> int:
    """Return what agents may use together without the machine getting short."""
    agents = sum(amount for _, amount in reading.used)
    return max(0, reading.available_bytes + agents - _threshold(reading, Pressure.TIGHT))


class MemoryMonitor:
    """Turns readings into events: what has changed enough to matter, and the next measure."""

    def __init__(self) -> None:
        self._pressure = Pressure.EASY
        self._last = MemoryReading(0, 0)
        self._calm_since: float | None = None
        self._budget = 0
        self._used: dict[TaskId, int] = {}

    def events(self, state: RunState, reading: MemoryReading) -> list[MemoryEvent]:
        """Return the events of this reading."""
        found: list[MemoryEvent] = []
        budget, used = budget_of(reading), dict(reading.used)
        if state.memory is None or self._matters(state, budget, used):
            self._budget, self._used = budget, used
            found.append(MemoryMeasured(budget, reading.used))
        before = state.memory.pressure if state.memory else Pressure.EASY
        now = max(_pressure(reading, 1.0), _expected(self._last, reading), key=_ORDER.index)
        self._pressure = self._judged(now, reading, before)
        self._last = reading
        squeezed = any(task.squeezed for _, task in state.live())
        acts = now in _ACTED_ON and now is self._pressure and bool(used)
        if self._pressure is not before or acts or (squeezed and self._pressure is Pressure.EASY):
            found.append(MemoryPressed(self._pressure, reading.available_bytes, reading.used))
        return found

    @property
    def interval_seconds(self) -> float:
        """Return the time until the next reading is due: the less is left, the sooner."""
        longest = _REST_SECONDS if self._pressure is Pressure.EASY else _ALERT_SECONDS
        room = self._last.available_bytes - _threshold(self._last, Pressure.SHORT)
        return min(longest, max(_LEAST_SECONDS, room / _FASTEST))

    def _judged(self, now: Pressure, reading: MemoryReading, before: Pressure) -> Pressure:
        """Return the pressure: it rises at once, and falls by one level after a calm time."""
        if _ORDER.index(now) >= _ORDER.index(before):
            self._calm_since = None
            return now
        if _ORDER.index(_pressure(reading, _RELIEF)) >= _ORDER.index(before):
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = reading.at
        elif reading.at - self._calm_since >= _CALM_SECONDS:
            self._calm_since = reading.at
            return _ORDER[_ORDER.index(before) - 1]
        return before

    def _matters(self, state: RunState, budget: int, used: dict[TaskId, int]) -> bool:
        """Return whether a change is large, and a task might not fit for it."""
        changes = [(self._budget, budget)]
        changes += [(self._used.get(task, 0), amount) for task, amount in used.items()]
        if not any(abs(old - new) > _significant(old) for old, new in changes):
            return False
        needs, largest = 0, 0
        for position, task in state.live():
            needed = needed_bytes(task, state.plan.tasks[position], state.rules)
            needs += max(needed, used.get(task.id, 0)) if task.holds_slot else 0
        for spec, task in zip(state.plan.tasks, state.tasks, strict=True):
            if task.phase not in TERMINAL:
                largest = max(largest, reserved_bytes(spec, state.rules), task.needed_bytes)
        return min(self._budget, budget) < needs + largest * state.capacity


def _significant(amount: int) -> float:
    return max(_LEAST_CHANGE, _LEAST_SHARE * amount)


def _threshold(reading: MemoryReading, level: Pressure) -> int:
    share, most = next((share, most) for one, share, most in _LEVELS if one is level)
    return min(int(share * reading.total_bytes), most)


def _pressure(reading: MemoryReading, relief: float) -> Pressure:
    left = reading.available_bytes
    by_room = next(
        (level for level, *_ in _LEVELS if left < relief * _threshold(reading, level)),
        Pressure.EASY,
    )
    if left > _LITTLE * reading.total_bytes:
        return by_room
    stalled = reading.stalled * relief
    by_stalls = Pressure.SHORT if stalled > _STALLED_SHORT else Pressure.EASY
    by_stalls = Pressure.TIGHT if _STALLED_TIGHT < stalled <= _STALLED_SHORT else by_stalls
    return max(by_room, by_stalls, key=_ORDER.index)


def _expected(before: MemoryReading, now: MemoryReading) -> Pressure:
    """Return the pressure to expect if memory goes on to go as fast as since the last reading.

    A program that fills memory would have filled it before what is left says so.
    """
    lost = before.available_bytes - now.available_bytes
    if lost <= 0 or now.at <= before.at or now.available_bytes > _AMPLE * now.total_bytes:
        return Pressure.EASY
    left = now.available_bytes * (now.at - before.at) / lost
    return next((level for level, seconds in _GONE_SOON if left < seconds), Pressure.EASY)
