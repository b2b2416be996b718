"""The timeline: phases of each task's last attempt, in terminal cells.

It shows what the state contains: times of earlier attempts and pauses are not kept. The rest of a
live attempt's estimate is drawn as expected.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum

from msgspec import Struct

from pex_tui.core.formatting import clock
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, IN_MERGE_QUEUE, SUCCEEDED, Phase
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.views.remaining_time import remaining_seconds

_LEAST_SECONDS = 10.0
_FUTURE_SHARE = 0.35  # of the width, at most, for the expected part
_STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


class SpanKind(StrEnum):
    """The activity of a task in an interval."""

    WAITING = "waiting"
    WAITING_SLOT = "waiting-slot"
    WAITING_EXCLUDED = "waiting-conflict"
    WAITING_RESOURCE = "waiting-resource"
    WAITING_LIMIT = "waiting-limit"
    WAITING_BUDGET = "waiting-budget"
    WAITING_MEMORY = "waiting-memory"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    LANDING = "landing"
    CONFLICT = "conflict"
    RETRYING = "retrying"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    EXPECTED = "expected"


_WORK = {
    Phase.FAILED: SpanKind.FAILED,
    Phase.ABORTED: SpanKind.BLOCKED,
    Phase.BACKOFF: SpanKind.FAILED,
} | dict.fromkeys(SUCCEEDED, SpanKind.DONE)


class TimelineSpan(Struct, frozen=True):
    """Cells `start` up to `stop` (excluded) of a row."""

    start: int
    stop: int
    kind: SpanKind


class TimelineRow(Struct, frozen=True):
    """The spans of one task, in time order, without overlap."""

    id: TaskId
    spans: tuple[TimelineSpan, ...]


class TimelineView(Struct, frozen=True):
    """Rows in plan order; `ticks` are (cell, label), `now` is the cell of the present."""

    rows: tuple[TimelineRow, ...]
    ticks: tuple[tuple[int, str], ...]
    now: int


def timeline_view(state: RunState, now: float, width: int) -> TimelineView:
    """Return the timeline in `width` cells; `now` in absolute seconds."""
    until = now if state.finished_at is None else state.finished_at
    past = max(_LEAST_SECONDS, until - state.created_at)
    left = [remaining_seconds(state, task, now) for task in state.tasks if task.holds_slot]
    future = min(max(left, default=0.0), past * _FUTURE_SHARE / (1 - _FUTURE_SHARE))
    scale = max(1, width) / (past + future)

    def cell(at: float) -> int:
        return max(0, min(width, round((at - state.created_at) * scale)))

    rows = tuple(
        TimelineRow(task.id, tuple(_cells(_spans(state, task, until, future), cell, width)))
        for task in state.tasks
    )
    return TimelineView(rows, _ticks(past, scale, width), cell(until))


_Stretch = tuple[float, float, SpanKind]


def _spans(state: RunState, task: TaskState, now: float, future: float) -> Iterator[_Stretch]:
    """Yield the task's intervals in absolute time."""
    begun = task.dispatched_at
    if begun is None:
        yield from _waiting(task, now)
        return
    if task.ready_at is not None and task.ready_at <= begun:
        yield task.ready_at, begun, SpanKind.WAITING
    work_from = task.started_at or task.exited_at or (now if task.slot else begun)
    yield begun, work_from, SpanKind.STARTING
    yield from _work(task, work_from, now)
    if task.phase in HOLDS_SLOT and task.phase is not Phase.PAUSED:
        left = remaining_seconds(state, task, now)
        yield now, now + min(left, future), SpanKind.EXPECTED
    if task.ready_at is not None and task.ready_at > begun:
        yield from _waiting(task, now)


def _waiting(task: TaskState, now: float) -> Iterator[_Stretch]:
    """Yield a ready task's wait; its cause is known since the last change."""
    if task.phase is not Phase.READY or task.ready_at is None:
        return
    if task.wait is None:
        yield task.ready_at, now, SpanKind.WAITING
    else:
        yield task.ready_at, task.wait.since, SpanKind.WAITING
        yield task.wait.since, now, SpanKind(f"waiting-{task.wait.cause}")


def _work(task: TaskState, work_from: float, now: float) -> Iterator[_Stretch]:
    until = task.exited_at or now
    frozen = until if task.paused_at is None else task.paused_at
    if task.started_at is not None:
        yield work_from, frozen, _WORK.get(task.phase, SpanKind.RUNNING)
        yield frozen, until, SpanKind.PAUSED
    if task.exited_at is None:
        return
    if task.phase is Phase.BACKOFF:
        yield task.exited_at, now, SpanKind.RETRYING
    elif task.phase in IN_MERGE_QUEUE or task.phase is Phase.CAPTURING:
        yield task.exited_at, now, SpanKind.LANDING
    elif task.phase is Phase.CONFLICT:
        yield task.exited_at, now, SpanKind.CONFLICT
    elif task.ended_at is not None:
        yield task.exited_at, task.ended_at, SpanKind.LANDING


def _cells(
    stretches: Iterator[_Stretch], cell: Callable[[float], int], width: int
) -> Iterator[TimelineSpan]:
    """Convert intervals to cells; one that is too short to see gets one cell."""
    used = 0
    for start, stop, kind in stretches:
        first, last = max(used, cell(start)), cell(stop)
        is_work = kind not in {SpanKind.WAITING, SpanKind.STARTING, SpanKind.EXPECTED}
        if is_work and stop > start:
            last = min(width, max(last, first + 1))
        if last > first:
            yield TimelineSpan(first, last, kind)
            used = last


def _ticks(past: float, scale: float, width: int) -> tuple[tuple[int, str], ...]:
    """Return round times up to the present, at least ten cells apart."""
    step = next((step for step in _STEPS if step * scale >= 10), _STEPS[-1])  # noqa: PLR2004
    return tuple(
        (position, clock(seconds))
        for seconds in range(0, int(past) + 1, step)
        if (position := round(seconds * scale)) < width
    )
