"""Measures against a shortage of memory, the mildest first, and their end.

While memory is tight nobody starts (see `dispatch`). While it is short, the tasks that lose least
are paused one after the other, at their next step where they take messages. When it is critical,
what has not paused yet is frozen, and if that is not enough, a task is ended; it runs again once
what it needed fits. One task always goes on, as nothing else would ever make room.
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from pex_tui.core.events.actions import PauseAgent, ResumeAgent
from pex_tui.core.events.memory_events import MemoryEvent, MemoryMeasured, MemoryPressed
from pex_tui.core.formatting import size
from pex_tui.core.lifecycle.attempts import stop, wants_pause
from pex_tui.core.lifecycle.conflict_log import record_conflict
from pex_tui.core.lifecycle.preemption import preemption_cost
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.memory import MemoryState, Pressure, needed_bytes, reserved_bytes, use_words
from pex_tui.core.model.phases import HOLDS_SLOT, Phase
from pex_tui.core.model.run_rules import OnLimit
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import StopCause, TaskState

_AT_WORK = frozenset({Phase.RUNNING, Phase.PAUSED})


def apply_memory_event(draft: Draft, event: MemoryEvent) -> None:
    """Apply a measurement, and take the next measure that the pressure asks for."""
    _note_needs(draft, event.used)
    before = draft.state.memory
    match event:
        case MemoryMeasured():
            pressure = before.pressure if before else Pressure.EASY
            draft.set(memory=MemoryState(event.budget_bytes, pressure))
        case MemoryPressed():
            known = before or MemoryState(event.available_bytes)
            draft.set(memory=replace(known, pressure=event.pressure))
            if event.pressure is not known.pressure:
                draft.notice(_told(event))
            _take_measure(draft, event)


def resume_squeezed(draft: Draft) -> None:
    """Resume a task that was paused for memory if nothing else is at work: it is its turn."""
    live = draft.state.live()
    squeezed = [task for _, task in live if task.squeezed and task.phase in _AT_WORK]
    others = [task for _, task in live if task.phase in HOLDS_SLOT and not task.squeezed]
    if squeezed and not any(task.phase is not Phase.PAUSED for task in others):
        _resume(draft, _most_urgent(draft.state, squeezed))


def record_memory_wait(draft: Draft, task_id: TaskId) -> None:
    """Record, once for each task, that it waited because its reservation did not fit."""
    state = draft.state
    if any(_is_of(one.kind, one.tasks, task_id) for one in state.conflicts):
        return
    need = size(needed_bytes(state.task(task_id), state.spec(task_id), state.rules))
    record_conflict(
        draft,
        ConflictKind.MEMORY,
        (task_id,),
        Decision.SERIALISED,
        reason="it starts once that fits beside the agents at work",
        overlapping_at=draft.now,
        detail=f"{task_id} reserves {need} of memory, which did not fit",
    )


def _is_of(kind: ConflictKind, tasks: tuple[TaskId, ...], task_id: TaskId) -> bool:
    return kind is ConflictKind.MEMORY and tasks[0] == task_id


def _note_needs(draft: Draft, used: tuple[tuple[TaskId, int], ...]) -> None:
    for task_id, amount in used:
        task = draft.task(task_id)
        if task.phase in HOLDS_SLOT and amount > task.needed_bytes:
            draft.change(task_id, needed_bytes=amount)


def _take_measure(draft: Draft, event: MemoryPressed) -> None:
    state = draft.state
    used = dict(event.used)
    match event.pressure:
        case Pressure.EASY:
            squeezed = [task for _, task in state.live() if task.squeezed]
            if squeezed:
                _resume(draft, _most_urgent(state, squeezed))
        case Pressure.TIGHT:
            pass
        case Pressure.SHORT:
            _pause_next(draft, used)
        case Pressure.CRITICAL:
            if not _freeze_rest(draft):
                _end_next(draft, used)


def _pause_next(draft: Draft, used: Mapping[TaskId, int]) -> None:
    """Pause the task that loses least; with `on_limit: kill`, end one above its reservation."""
    state = draft.state
    if state.rules.on_limit is OnLimit.KILL:
        above = [task for task in _stoppable(state) if _excess(state, task, used) > 0]
        if above:
            _end(draft, min(above, key=lambda task: preemption_cost(state, task.id)), used)
            return
    going = [task for task in _stoppable(state) if not wants_pause(state, task)]
    if len(going) > 1:
        _squeeze(draft, min(going, key=lambda task: _loss(state, task, used)), gently=True)


def _freeze_rest(draft: Draft) -> bool:
    """Freeze all tasks but the most important one; return False if all are frozen already."""
    state = draft.state
    going = [task for task in _stoppable(state) if task.phase is Phase.RUNNING]
    if not going:
        return False
    kept = max(going, key=lambda task: preemption_cost(state, task.id))
    for task in going:
        if task is not kept:
            _squeeze(draft, task, gently=False)
    return len(going) > 1


def _end_next(draft: Draft, used: Mapping[TaskId, int]) -> None:
    """End one task, unless one is ending already: what it frees shows first."""
    state = draft.state
    if any(task.phase is Phase.STOPPING for _, task in state.live()):
        return
    candidates = _stoppable(state)
    if candidates:
        _end(draft, min(candidates, key=lambda task: _loss(state, task, used)), used)


def _stoppable(state: RunState) -> list[TaskState]:
    return [task for _, task in state.live() if task.phase in _AT_WORK]


def _loss(
    state: RunState, task: TaskState, used: Mapping[TaskId, int]
) -> tuple[int, bool, int, float, float]:
    """Return the sort key of the loss; of equally urgent tasks, those above their reservation."""
    urgency, rollbacks, rank, worked = preemption_cost(state, task.id)
    return urgency, _excess(state, task, used) <= 0, rollbacks, rank, worked


def _excess(state: RunState, task: TaskState, used: Mapping[TaskId, int]) -> int:
    return used.get(task.id, 0) - reserved_bytes(state.spec(task.id), state.rules)


def _squeeze(draft: Draft, task: TaskState, *, gently: bool) -> None:
    if not task.squeezed:
        draft.change(task.id, squeezed=True)
        draft.notice(f"{task.id} is paused: the machine is short of memory.")
        record_conflict(
            draft,
            ConflictKind.MEMORY,
            (task.id, *_others(draft.state, task)),
            Decision.PAUSED,
            reason="it loses least by a pause",
            overlapping_at=draft.now,
            detail="the machine was short of memory",
        )
    draft.act(PauseAgent(task.id, task.attempt, gently=gently and task.listens))


def _others(state: RunState, task: TaskState) -> Iterator[TaskId]:
    live = (other for _, other in state.live() if other.phase in HOLDS_SLOT)
    return (other.id for other in live if other.id != task.id)


def _end(draft: Draft, task: TaskState, used: Mapping[TaskId, int]) -> None:
    most = max(used.get(task.id, 0), task.needed_bytes)
    use = use_words(most, draft.spec(task.id), draft.state.rules)
    reason = f"ended because the machine ran out of memory: {use}"
    stop(draft, draft.change(task.id, reason=reason, squeezed=False), StopCause.MEMORY)


def _resume(draft: Draft, task: TaskState) -> None:
    after = draft.change(task.id, squeezed=False)
    if not wants_pause(draft.state, after):
        draft.act(ResumeAgent(task.id, task.attempt))
        draft.notice(f"{task.id} continues: there is memory for it.")


def _most_urgent(state: RunState, tasks: list[TaskState]) -> TaskState:
    return max(tasks, key=lambda task: preemption_cost(state, task.id))


def _told(event: MemoryPressed) -> str:
    left = f"{size(event.available_bytes)} of memory left"
    match event.pressure:
        case Pressure.EASY:
            return f"Memory is no longer short ({left})."
        case Pressure.TIGHT:
            return f"Memory is getting short ({left}): nothing more starts for now."
        case Pressure.SHORT:
            return f"Memory is short ({left}): agents are paused until there is more."
        case Pressure.CRITICAL:
            return f"The machine is running out of memory ({left}): agents are frozen or ended."
