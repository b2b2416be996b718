"""Write leases: an agent that announces a write waits while another is changing that file.

A task at work holds the files that it was allowed to change or was seen to change until it has
landed or ended. A task that announces a write to such a file pauses, and restarts on top of the
holder's landing. No task pauses for one that, transitively, is paused for it.
"""

from collections.abc import Iterator

from pex_tui.core.events.actions import AnswerAgent, ResumeAgent
from pex_tui.core.lifecycle.attempts import wants_pause
from pex_tui.core.lifecycle.conflict_log import record_conflict
from pex_tui.core.lifecycle.lock_graph import is_waiting_for, wait_graph
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import ConflictKind, ConflictPath, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, IN_FLIGHT, Phase
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import Permission, TaskState, Verdict

LEASE = "its write lease"


def answer_permission(
    draft: Draft, task_id: TaskId, asked: Permission, verdict: Verdict, by: str
) -> None:
    """Give the verdict; an allowed edit waits for its lease while another task holds the file."""
    allowed = asked.answered(verdict, by, draft.now)
    holder = None if verdict is Verdict.DENY else _holder(draft.state, task_id, asked)
    if holder is None:
        store_permission(draft, task_id, allowed)
        send_verdict(draft, task_id, allowed)
        return
    store_permission(draft, task_id, allowed.held_back(holder))
    task = draft.task(task_id)
    if task.yields_to is None:
        draft.change(task_id, yields_to=holder)
        _tell(draft, task, holder, asked)


def store_permission(draft: Draft, task_id: TaskId, permission: Permission) -> None:
    """Store the permission's current state."""
    known = draft.task(task_id).permissions
    kept = tuple(permission if one.request == permission.request else one for one in known)
    is_new = permission not in kept
    draft.change(task_id, permissions=(*known, permission) if is_new else kept)


def send_verdict(draft: Draft, task_id: TaskId, permission: Permission) -> None:
    """Send the agent the verdict."""
    if permission.verdict is not None:
        attempt = draft.task(task_id).attempt
        draft.act(AnswerAgent(task_id, attempt, permission.request, permission.verdict))


def paused_for(task: TaskState) -> tuple[TaskId, ...]:
    """Return the tasks that a live task waits for: paused for them, or waiting for a lease."""
    holders = (asked.held_by for asked in task.permissions)
    found = dict.fromkeys(other for other in (task.yields_to, *holders) if other is not None)
    return tuple(found)


def stop_waiting_for(draft: Draft, task_id: TaskId, other: TaskId) -> None:
    """End the task's wait for one other task; waits for further tasks remain."""
    task = draft.task(task_id)
    for asked in task.permissions:
        if asked.held_by == other:
            _ask_again(draft, task_id, asked, besides=other)
    task = draft.task(task_id)
    if task.yields_to == other:
        left = (asked.held_by for asked in task.permissions if asked.held_by is not None)
        task = draft.change(task_id, yields_to=next(left, None))
        if task.phase in {Phase.PAUSED, Phase.RUNNING} and not wants_pause(draft.state, task):
            draft.act(ResumeAgent(task_id, task.attempt))


def _ask_again(draft: Draft, task_id: TaskId, asked: Permission, besides: TaskId) -> None:
    """Find the next holder of the lease; without one, send the deferred answer."""
    free = asked.let_go()
    holder = _holder(draft.state, task_id, free, besides)
    store_permission(draft, task_id, free if holder is None else free.held_back(holder))
    if holder is None:
        send_verdict(draft, task_id, free)


def release_leases(draft: Draft) -> None:
    """Release the tasks that no longer have to wait for a lease."""
    for _, task in draft.state.live():
        if task.yields_to is not None or task.phase not in HOLDS_SLOT - {Phase.STOPPING}:
            continue
        for asked in task.permissions:
            if asked.held_by is not None:
                freed = asked.let_go()
                store_permission(draft, task.id, freed)
                send_verdict(draft, task.id, freed)


def _holder(
    state: RunState, name: TaskId, asked: Permission, besides: TaskId | None = None
) -> TaskId | None:
    """Return the first task, by start, that holds a file of the request."""
    if not (state.rules.leases and asked.edits):
        return None
    wanted = set(_paths(state.task(name), asked))
    for _, other in state.live():
        is_live = other.id not in {name, besides} and other.phase in IN_FLIGHT
        if is_live and not wanted.isdisjoint(_owned(other)) and not _yields(state, other, name):
            return other.id
    return None


def _owned(task: TaskState) -> Iterator[str]:
    yield from task.files
    for asked in task.permissions:
        if asked.edits and asked.verdict not in {None, Verdict.DENY} and asked.held_by is None:
            yield from _paths(task, asked)


def _paths(task: TaskState, asked: Permission) -> Iterator[str]:
    """Yield the paths of the request, relative to the task's workspace."""
    here = task.workspace.rstrip("/") + "/"
    return (touched.removeprefix(here) for touched in asked.touches)


def _yields(state: RunState, task: TaskState, to: TaskId) -> bool:
    """Return whether the task is, transitively, paused for that one."""
    if state.semantics >= Semantics.ONE_WAIT_GRAPH:
        return is_waiting_for(wait_graph(state), ("task", task.id), ("task", to))
    seen: set[TaskId] = set()
    step = task.yields_to
    while step is not None and step not in seen:
        if step == to:
            return True
        seen.add(step)
        step = state.task(step).yields_to
    return False


def _tell(draft: Draft, task: TaskState, holder: TaskId, asked: Permission) -> None:
    paths = tuple(_paths(task, asked))
    draft.notice(
        f"{task.id} wants to change {', '.join(paths)} and waits until {holder} has landed."
    )
    record_conflict(
        draft,
        ConflictKind.WRITE,
        (task.id, holder),
        Decision.PAUSED,
        reason="conflict_resolution.leases: one task at a time changes a file",
        files=tuple(ConflictPath(path, "lease") for path in paths),
        overlapping_at=draft.now,
        detail=f"announced at work: {holder} is changing {', '.join(paths)}",
    )
