"""The consequences of an applied event: tasks become ready, skipped or due, or land next."""

import math
from collections.abc import Sequence

from msgspec.structs import replace

from pex_tui.core.coordination.locks import apply_lock_deadlines, next_lock_deadline, update_locks
from pex_tui.core.coordination.memory import resume_squeezed
from pex_tui.core.coordination.overlaps import resume_yielding
from pex_tui.core.coordination.write_leases import release_leases
from pex_tui.core.events.run_events import TaskDispatched
from pex_tui.core.landing.batch import advance_queue
from pex_tui.core.landing.bring_to_branch import land_deadline, land_run
from pex_tui.core.lifecycle.attempts import ready, stop
from pex_tui.core.lifecycle.conflict_log import record_conflict
from pex_tui.core.lifecycle.git_refusals import try_step_again
from pex_tui.core.lifecycle.rate_limits import limit_of
from pex_tui.core.lifecycle.scheduler import dispatch
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.lifecycle.stopping import abort_run
from pex_tui.core.liveness import stands_still
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import (
    IN_FLIGHT,
    IN_MERGE_QUEUE,
    SUCCEEDED,
    TERMINAL,
    Phase,
    RunStage,
)
from pex_tui.core.model.plan import Strategy
from pex_tui.core.model.state import LandStatus, RunState
from pex_tui.core.model.task_state import StopCause, TaskState, WaitCause

_BAD_END = {Phase.FAILED: "failed", Phase.ABORTED: "was aborted", Phase.SKIPPED: "was skipped"}


_AT_A_STEP = frozenset({Phase.CAPTURING, Phase.QUEUED})  # git may have refused to capture or merge


def apply_consequences(draft: Draft) -> None:
    """Propagate the consequences of a step through the graph, the queue and the run."""
    _propagate_ends(draft)
    advance_queue(draft)
    _propagate_ends(draft)  # of tasks that the queue has just ended
    resume_yielding(draft)
    resume_squeezed(draft)
    release_leases(draft)
    update_locks(draft)
    land_run(draft)


def _propagate_ends(draft: Draft) -> None:
    """Propagate the ends of tasks to their dependents, and to all tasks at the first failure."""
    failed_before_stop = draft.state.rules.fail_fast and any(
        draft.task(task_id).phase is Phase.FAILED for task_id in draft.changed
    )
    _propagate_phases(draft)
    if failed_before_stop:
        draft.notice("A task failed, and the run stops at the first failure.")
        abort_run(draft)
        _propagate_phases(draft)


def apply_deadlines(draft: Draft) -> None:
    """Apply everything due by the clock: retries, timeouts, and overdue waits for locks."""
    for task in _with_deadlines(draft.state):
        at = _deadline(draft.state, task)
        if at is None or at > draft.now:
            continue
        if task.phase is Phase.BACKOFF:
            ready(draft, task, task.reason)
        elif task.phase in _AT_A_STEP:
            try_step_again(draft, task)
        elif task.phase is Phase.RUNNING:
            stop(draft, task, StopCause.TIMEOUT)
        elif _lock_overdue_at(draft.state, task) <= draft.now:
            _record_long_wait(draft, task)
    apply_lock_deadlines(draft)


def next_deadline(state: RunState) -> float | None:
    """Return when `TimePassed` is due, in absolute seconds; None without a deadline."""
    deadlines = [
        at
        for task in _with_deadlines(state)
        if not _waits_anyway(state, task) and (at := _deadline(state, task)) is not None
    ]
    others = (next_lock_deadline(state), land_deadline(state))
    return min([*deadlines, *(at for at in others if at is not None)], default=None)


def _with_deadlines(state: RunState) -> list[TaskState]:
    """Return the tasks that may have a deadline, in plan order."""
    standings = state.standings
    ready = standings.ready if state.limits else standings.told
    return [state.tasks[position] for position in sorted((*standings.live, *ready))]


def _waits_anyway(state: RunState, task: TaskState) -> bool:
    """Return whether the task waits for a person, whatever the clock brings."""
    if task.phase is Phase.READY:
        return task.held or state.stage is not RunStage.RUNNING
    return task.phase is Phase.BACKOFF and task.held


def is_over(state: RunState, *, attended: bool) -> bool:
    """Return whether nothing can happen any more without a person.

    While a person is attached, whatever waits for a decision keeps the run alive.
    """
    if state.land_status in {LandStatus.ASKED, LandStatus.RUNNING}:
        return False
    if not state.standings.left:
        return True
    return not attended and is_stuck(state)


def is_stuck(state: RunState) -> bool:
    """Return whether only a person can continue: nothing is live, can start or has a deadline."""
    return (
        stands_still(state)
        and next_deadline(state) is None
        and not any(isinstance(decision, TaskDispatched) for decision in dispatch(state))
    )


def is_drained(state: RunState) -> bool:
    """Return whether a draining run has nothing in flight; a killed one ignores the queue."""
    if state.land_status is LandStatus.RUNNING:  # git is never interrupted in the user's checkout
        return False
    moving = IN_FLIGHT - IN_MERGE_QUEUE if state.killed else IN_FLIGHT
    return all(
        task.phase not in moving or (state.killed and task.retry_at is not None)
        for _, task in state.live()
    )


def blockers(state: RunState, task: TaskState) -> tuple[TaskId, ...]:
    """Return the tasks with open conflicts that a waiting task depends on, transitively."""
    found: list[TaskId] = []
    seen: set[int] = set()
    stack = list(state.graph.needs[state.graph.index[task.id]])
    while stack:
        position = stack.pop()
        if position in seen:
            continue
        seen.add(position)
        other = state.tasks[position]
        if other.phase is Phase.CONFLICT:
            found.append(other.id)
        elif other.phase is Phase.WAITING:
            stack.extend(state.graph.needs[position])
    return tuple(sorted(found))


def _propagate_phases(draft: Draft) -> None:
    stage = None
    while draft.changed:
        graph = draft.state.graph
        position = graph.index[draft.changed.pop()]
        if stage is None or draft.state.tasks[position].phase in TERMINAL:
            stage = _stage_at_work(draft.state)
        candidates: Sequence[int] = (position, *graph.dependents[position])
        if graph.stages[position] < stage:  # the task may have been the last one of its stage
            candidates = range(len(draft.state.tasks))
        for candidate in candidates:
            _update_phase(draft, candidate, stage)


def _stage_at_work(state: RunState) -> int:
    """Return the earliest stage with a task that has not ended, or the last stage."""
    stages = state.graph.stages
    if state.plan.strategy is not Strategy.STAGES:
        return 1  # the only one
    unfinished = (
        stage for stage, task in zip(stages, state.tasks, strict=True) if task.phase not in TERMINAL
    )
    return min(unfinished, default=max(stages, default=1))


def _update_phase(draft: Draft, position: int, stage: int) -> None:
    task = draft.state.tasks[position]
    if task.phase not in {Phase.WAITING, Phase.READY, Phase.BACKOFF}:
        return
    tasks, graph = draft.state.tasks, draft.state.graph
    needs = [tasks[need] for need in graph.needs[position]]
    bad = next((need for need in needs if need.phase in _BAD_END), None)
    if bad is not None:
        reason = f"needs {bad.id}, which {_BAD_END[bad.phase]}"
        draft.move(task.id, Phase.SKIPPED, reason=reason)
    elif (
        task.phase is Phase.WAITING
        and graph.stages[position] <= stage
        and all(need.phase in SUCCEEDED for need in needs)
    ):
        _make_ready(draft, task)


def _make_ready(draft: Draft, task: TaskState) -> None:
    if draft.spec(task.id).enabled:
        ready(draft, task)
    else:
        draft.move(task.id, Phase.DONE, reason="disabled")


def _deadline(state: RunState, task: TaskState) -> float | None:
    if task.phase is Phase.BACKOFF or task.phase in _AT_A_STEP:
        return task.retry_at
    if task.phase is Phase.RUNNING and task.started_at is not None:
        limit = state.spec(task.id).timeout_seconds
        return None if limit is None else task.started_at + limit + task.paused_seconds
    if task.phase is not Phase.READY:
        return None
    refused = limit_of(state, state.spec(task.id))
    at = min(math.inf if refused is None else refused.until, _lock_overdue_at(state, task))
    return None if at == math.inf else at


def _lock_overdue_at(state: RunState, task: TaskState) -> float:
    """Return when a ready task's wait for a named lock is overdue; infinite if never."""
    wait = task.wait
    if wait is None or wait.cause is not WaitCause.RESOURCE or wait.is_overdue:
        return math.inf
    return wait.since + state.rules.lock_timeout_seconds


def _record_long_wait(draft: Draft, task: TaskState) -> None:
    """Give the task precedence for its lock over less urgent tasks (see `dispatch`)."""
    if task.wait is None:
        return
    draft.change(task.id, wait=replace(task.wait, is_overdue=True))
    record_conflict(
        draft,
        ConflictKind.RESOURCE,
        (task.id,),
        Decision.SERIALISED,
        reason="it gets the lock before any less urgent task",
        overlapping_at=task.wait.since,
        conflicting_at=draft.now,
        detail=f"waited longer than lock_timeout for {', '.join(task.wait.on)}",
    )
