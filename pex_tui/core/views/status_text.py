"""The status of a task, and one sentence about it."""

from collections.abc import Mapping
from typing import assert_never

from msgspec import Struct, field

from pex_tui.core.consequences import blockers
from pex_tui.core.formatting import clock, counted, short, size
from pex_tui.core.landing.approval import landed_files
from pex_tui.core.lifecycle.exclusion_waits import at_work, excluded_neighbours
from pex_tui.core.lifecycle.lock_graph import blocking_holdings, holdings, lock_names
from pex_tui.core.lifecycle.merge_queue import landing_tasks
from pex_tui.core.lifecycle.rate_limits import limit_of
from pex_tui.core.lifecycle.scheduler import queue_order
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, SUCCEEDED, TERMINAL, LandingStage, Phase, RunStage
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import FailureKind, StopCause, TaskState, Wait, WaitCause
from pex_tui.core.sanitize import clean
from pex_tui.core.views.status import Status

_STATUSES = {
    Phase.WAITING: Status.WAITING,
    Phase.READY: Status.WAITING,
    Phase.STARTING: Status.STARTING,
    Phase.RUNNING: Status.RUNNING,
    Phase.PAUSED: Status.PAUSED,
    Phase.STOPPING: Status.STOPPING,
    Phase.CAPTURING: Status.LANDING,
    Phase.BACKOFF: Status.RETRYING,
    Phase.QUEUED: Status.LANDING,
    Phase.LANDING: Status.LANDING,
    Phase.CONFLICT: Status.CONFLICT,
    Phase.LANDED: Status.DONE,
    Phase.DONE: Status.DONE,
    Phase.FAILED: Status.FAILED,
    Phase.ABORTED: Status.BLOCKED,
    Phase.SKIPPED: Status.BLOCKED,
}
_STOPPING = {
    StopCause.ABORT: "Aborting",
    StopCause.TIMEOUT: "Stopping: timed out",
    StopCause.RERUN: "Stopping, to restart",
    StopCause.YIELD: "Making way for another task",
    StopCause.DEADLOCK: "Releasing its locks after a deadlock",
    StopCause.INTERRUPT: "Stopping with the run",
    StopCause.MEMORY: "Stopping: the machine has no memory left",
}
_LANDING = {
    LandingStage.MERGING: "Merging",
    LandingStage.MERGED: "Merged, waiting for the gate",
    LandingStage.GATING: "Gate is running",
    LandingStage.GATING_AGAIN: "Gate failed; retrying it",
    LandingStage.PASSED: "Gate passed; lands after the tasks before it",
    LandingStage.GATING_BASE: "Gate failed; checking the base",
    LandingStage.MOVING: "Moving the branch",
}
_BAD_END = {
    FailureKind.GATE: "Gate failed",
    FailureKind.CAPTURE: "Could not save its work",
    FailureKind.LANDING: "Git refused",
    FailureKind.PROTECTED: "Refused",
    FailureKind.LAUNCH: "Could not start",
    FailureKind.AUTH: "Not logged in",
    FailureKind.STALL: "Stalled",
}


def status_of(state: RunState, task: TaskState) -> Status:
    """Return the task's status; a task that only a person can free is blocked."""
    status = _STATUSES[task.phase]
    if status is Status.RUNNING and task.asks:
        return Status.ASKING
    if status is Status.WAITING:
        if task.held:
            return Status.PAUSED
        if task.phase is Phase.WAITING and state.open_conflicts and blockers(state, task):
            return Status.BLOCKED
    return status


class StartQueue(Struct, frozen=True):
    """The places of waiting tasks from 1, and the positions of the tasks in flight."""

    places: Mapping[TaskId, int] = field(default_factory=dict)
    in_flight: tuple[int, ...] = ()


def start_queue(state: RunState) -> StartQueue:
    """Return the current start queue, computed once for all tasks."""
    order = queue_order(state)
    places = {state.tasks[position].id: place for place, position in enumerate(order, 1)}
    return StartQueue(places, at_work(state))


def waits_on(state: RunState, task: TaskState, queue: StartQueue) -> tuple[str, ...]:
    """Return the blockers of a ready task: tasks, a lock with its holders, or a limit."""
    if task.wait is None:
        return ()
    if task.wait.cause is WaitCause.EXCLUDED:
        found = excluded_neighbours(state, state.graph.index[task.id], queue.in_flight)
        return tuple(state.tasks[other].id for other in found) or task.wait.on
    return task.wait.on


def activity(state: RunState, task: TaskState, now: float, queue: StartQueue) -> str:
    """Return what a task does or waits for, in one sanitized line."""
    return clean(_activity(state, task, now, queue))


def _activity(state: RunState, task: TaskState, now: float, queue: StartQueue) -> str:
    match task.phase:
        case Phase.WAITING:
            return _needs(state, task, now)
        case Phase.READY:
            return _wait(state, task, now, queue)
        case Phase.STARTING | Phase.RUNNING | Phase.PAUSED | Phase.STOPPING:
            return _attempt(state, task, now)
        case Phase.CAPTURING:
            return "Saving changes"
        case Phase.BACKOFF:
            return _retry(state, task, now)
        case Phase.QUEUED:
            return _queued(state, task)
        case Phase.LANDING:
            return _landing(state, task)
        case Phase.CONFLICT:
            return _sentence(task.reason) or "Conflict"
        case Phase.LANDED:
            return _landed(state, task)
        case Phase.DONE:
            return _sentence(task.reason) or "Done"
        case Phase.FAILED:
            return _failed(task)
        case Phase.ABORTED:
            return _sentence(task.reason) or "Aborted"
        case Phase.SKIPPED:
            return f"Skipped: {task.reason}" if task.reason else "Skipped"
        case _:
            assert_never(task.phase)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _needs(state: RunState, task: TaskState, now: float) -> str:
    held = "Paused by you; " if task.held else ""
    blocked_by = blockers(state, task) if state.open_conflicts else ()
    if blocked_by:
        has = "has an open conflict" if len(blocked_by) == 1 else "have open conflicts"
        met = [
            one.conflicting_at
            for one in state.open_conflicts
            if one.conflicting_at and one.tasks[0] in blocked_by
        ]
        since = f" {clock(now - min(met))}" if met else ""
        return _sentence(f"{held}blocked{since}: {', '.join(blocked_by)} {has}")
    position = state.graph.index[task.id]
    needs = [state.tasks[other] for other in state.graph.needs[position]]
    if any(need.phase not in SUCCEEDED for need in needs):
        listed = ", ".join(
            f"{need.id} ✓" if need.phase in SUCCEEDED else str(need.id) for need in needs
        )
        return _sentence(f"{held}waits for {listed}")
    mine = state.graph.stages[position]
    earlier = (
        stage
        for stage, other in zip(state.graph.stages, state.tasks, strict=True)
        if stage < mine and other.phase not in TERMINAL
    )
    return _sentence(f"{held}waits for stage {max(earlier, default=1)} to end")


def _wait(state: RunState, task: TaskState, now: float, queue: StartQueue) -> str:
    if task.held:
        return "Paused by you before it started"
    if state.stage is RunStage.PAUSED:
        return "Waits: the run is paused"
    if state.stage is not RunStage.RUNNING:
        return "Won't start: the run is stopping"
    since = clock(now - (task.wait.since if task.wait else task.ready_at or now))
    if task.wait is None or task.wait.cause is WaitCause.SLOT:
        return f"Queued {since} (#{queue.places.get(task.id, 1)})"
    if task.wait.cause is WaitCause.LIMIT:
        limit = limit_of(state, state.spec(task.id))
        left = f", {clock(limit.until - now)} to go" if limit and limit.until > now else ""
        return f"Waits for the rate limit of {task.wait.on[0]}{left}"
    if task.wait.cause is WaitCause.BUDGET:
        return f"Waits for you: the budget is used up ({task.wait.on[0]})"
    if task.wait.cause is WaitCause.RESOURCE:
        return f"Waits {since} for {_lock(state, task.wait)}"
    if task.wait.cause is WaitCause.MEMORY:
        return f"Waits {since} for {task.wait.on[0]} of memory"
    return f"Waits {since} until {_neighbours(state, task, waits_on(state, task, queue))}"


def _lock(state: RunState, wait: Wait) -> str:
    lock, *others = wait.on
    holders = [
        other
        for other in others
        if TaskId(other) in state.graph.index and state.task(TaskId(other)).phase in HOLDS_SLOT
    ]
    if holders:
        return f"lock {lock} (held by {', '.join(holders)})"
    return f"lock {lock} ({', '.join(others)} first)" if others else lock


def _neighbours(state: RunState, task: TaskState, others: tuple[str, ...]) -> str:
    excluded = state.graph.excluded[state.graph.index[task.id]]
    reason = excluded.get(state.graph.index.get(TaskId(others[0]), -1), "")
    names = ", ".join(others)
    have = "has" if len(others) == 1 else "have"
    if not reason:
        why = f"as {state.sequential_reason}" if state.sequential_reason else "after a conflict"
        return f"{names} {have} landed: {why}, writers run one at a time"
    done = "ended" if "never runs" in reason else "landed"
    return f"{names} {have} {done}: {reason}"


def _attempt(state: RunState, task: TaskState, now: float) -> str:
    if task.phase is Phase.STOPPING:
        return _STOPPING[task.stop or StopCause.ABORT]
    if task.phase is Phase.PAUSED:
        since = "" if task.paused_at is None else f", {clock(now - task.paused_at)} ago"
        if task.yields_to is not None and not task.held:
            return f"Paused until {task.yields_to} has landed{since}"
        if task.squeezed and not task.held:
            return f"Paused until there is memory{since}"
        whose = "by you" if task.held else "with the run"
        wanted = task.held or state.stage is RunStage.PAUSED
        return f"Paused {whose}{since}" if wanted else "Resuming"
    if task.phase is Phase.STARTING:
        doing = "Starting its command" if task.workspace else "Preparing a workspace"
        return doing if task.attempt == 1 else f"{doing}, attempt {task.attempt}"
    if task.held or state.stage is RunStage.PAUSED:
        return "Pausing after this step" if task.listens else "Pausing"
    held = next((asked for asked in task.permissions if asked.held_by is not None), None)
    if held is not None:
        waited = clock(now - held.asked_at)
        return f"Waits {waited} to {held.title} until {held.held_by} has landed"
    if task.yields_to is not None:
        return f"Pausing until {task.yields_to} has landed"
    claimed = _claimed(state, task, now)
    if claimed:
        return claimed
    if task.asks:
        return f"Asks to {task.asks[0].title}, {clock(now - task.asks[0].asked_at)}"
    seen = state.overlaps_of(task.id)
    if seen:
        more = f" and {len(seen[0].paths) - 1} more" if len(seen[0].paths) > 1 else ""
        others = ", ".join(overlap.other(task.id) for overlap in seen)
        return f"Overlaps with {others} in {seen[0].paths[0]}{more}"
    return task.activity or "Running"


def _claimed(state: RunState, task: TaskState, now: float) -> str:
    """Return the lock that a process of the task waits for; empty if none."""
    mine = (claim for claim in state.claims if claim.task == task.id and claim.is_waiting)
    claim = next(mine, None)
    if claim is None:
        return ""
    held = (holder for _, holder, _ in blocking_holdings(holdings(state), claim))
    by = ", ".join(dict.fromkeys(held))
    whose = f" (held by {by})" if by else ""
    return f"Waits {clock(now - claim.asked_at)} for lock {lock_names(claim)}{whose}"


def _retry(state: RunState, task: TaskState, now: float) -> str:
    allowed = state.spec(task.id).retries
    allowed = state.rules.max_retries if allowed is None else allowed
    what, why = f"rerun {task.reruns}/{state.rules.max_retries}", task.reason  # after a conflict
    if task.failure is not None:
        what, why = f"retry {task.failures}/{allowed}", task.failure.detail
    if task.held:
        return f"Paused by you before {what}: {why}"
    left = max(0.0, (task.retry_at or now) - now)
    if task.failure is not None and task.failure.kind is FailureKind.LIMIT:
        return f"Resumes in {left:.0f} s: {why}"  # a git refusal uses up no try
    if task.failure is not None and task.failure.kind is FailureKind.MEMORY:
        return f"Runs again once {size(task.needed_bytes)} of memory is free: {why}"
    return f"{_sentence(what)} in {left:.0f} s: {why}"


def _queued(state: RunState, task: TaskState) -> str:
    place = state.landing.index(task.id) if task.id in state.landing else 0
    return f"Queued to merge (#{place + 1})"


def _landing(state: RunState, task: TaskState) -> str:
    """Describe the landing step; a gate on a later entry tests this one as well."""
    stage = task.landing_stage or LandingStage.MERGING
    behind = iter(landing_tasks(state))
    if stage is LandingStage.MERGED and task in behind:
        tested = next((one for one in behind if one.landing_stage is LandingStage.GATING), None)
        if tested is not None:
            return f"Gate is running, together with {tested.id}"
    return _LANDING[stage]


def _landed(state: RunState, task: TaskState) -> str:
    drift = f", {len(task.drift)} outside its writes" if task.drift else ""
    return f"Landed {short(task.landed)}, {counted(len(landed_files(state, task)), 'file')}{drift}"


def _failed(task: TaskState) -> str:
    if task.failure is None:
        return f"Failed: {task.reason}" if task.reason else "Failed"
    label = _BAD_END.get(task.failure.kind, "Failed")
    detail = task.failure.detail.removeprefix("the gate failed: ")
    tries = f", {counted(task.failures, 'attempt')}" if task.failures > 1 else ""
    return f"{label}: {detail}{tries}"
