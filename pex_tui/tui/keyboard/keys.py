"""The keys that control a run, those of the monitor, and the conditions for each.

Lower case acts on the selected agents, upper case on the run. Every binding has an id, so that a
keymap can remap it.
"""

from collections.abc import Callable, Sequence

from textual.binding import Binding, BindingType

from pex_tui.core.events.run_events import (
    AbortRequested,
    BoostRequested,
    Event,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
)
from pex_tui.core.formatting import counted
from pex_tui.core.model.phases import TERMINAL, Phase, RunStage
from pex_tui.core.model.state import LandStatus, RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.sanitize import clean

YOU = "you"

STEERING_KEYS: list[BindingType] = [
    Binding("p", "pause", "Pause", id="agent.pause"),
    Binding("b", "boost", "Boost", id="agent.boost"),
    Binding("r", "retry", "Retry", id="agent.retry"),
    Binding("a", "abort", "Abort", id="agent.abort"),
    Binding("c", "conflict", "Conflict", id="agent.conflict"),
    Binding("m", "message", "Message", id="agent.message"),
    Binding("y", "copy", "Copy its ref", show=False, id="agent.copy"),
    Binding("P", "pause_run", "Pause all", show=False, id="run.pause"),
    Binding("B", "boost_run", "Boost 5 to 8", show=False, id="run.boost"),
    Binding("A", "abort_run", "Abort run", show=False, id="run.abort"),
    Binding("plus", "slots(1)", "More slots", show=False, id="run.more"),
    Binding("minus", "slots(-1)", "Fewer slots", show=False, id="run.fewer"),
    Binding("L", "land", "Land run", show=False, id="run.land"),
]
MONITOR_KEYS: list[BindingType] = [
    Binding("slash", "filter", "Filter", key_display="/", id="list.filter"),
    Binding("s", "sort", "Sort", show=False, id="list.sort"),
    Binding("v", "view", "Rows or cards", show=False, id="list.view"),
    Binding("f", "follow", "Follow log", show=False, id="detail.follow"),
    Binding("1", "tab('log')", "Log", show=False, id="detail.log"),
    Binding("2", "tab('diff')", "Diff", show=False, id="detail.diff"),
    Binding("3", "tab('prompt')", "Prompt", show=False, id="detail.prompt"),
    Binding("4", "tab('info')", "Info", show=False, id="detail.info"),
    Binding("h,left", "panel(-1)", "Previous panel", show=False, id="panel.before"),
    Binding("l,right", "panel(1)", "Next panel", show=False, id="panel.next"),
    Binding("escape", "back", "Back", show=False, id="panel.back"),
]

_PAUSABLE = frozenset(
    {Phase.WAITING, Phase.READY, Phase.STARTING, Phase.BACKOFF, Phase.RUNNING, Phase.PAUSED}
)
_RETRIABLE = frozenset(
    {
        Phase.RUNNING,
        Phase.PAUSED,
        Phase.BACKOFF,
        Phase.CONFLICT,
        Phase.FAILED,
        Phase.ABORTED,
        Phase.SKIPPED,
    }
)
_CONDITIONS = {
    Phase.WAITING: "has not started",
    Phase.READY: "has not started",
    Phase.STARTING: "is starting",
    Phase.RUNNING: "is running",
    Phase.PAUSED: "is paused",
    Phase.STOPPING: "is stopping",
    Phase.CAPTURING: "is saving its changes",
    Phase.BACKOFF: "is about to be retried",
    Phase.QUEUED: "is queued to merge",
    Phase.LANDING: "is merging",
    Phase.CONFLICT: "has a conflict",
    Phase.LANDED: "has finished",
    Phase.DONE: "has finished",
    Phase.FAILED: "has failed",
    Phase.ABORTED: "was aborted",
    Phase.SKIPPED: "was skipped",
}
LOSES_ITS_PROCESS = frozenset({Phase.RUNNING, Phase.PAUSED})


def pauses(tasks: Sequence[TaskState]) -> tuple[Event, ...]:
    """Pause tasks, freeze those still finishing their step, or resume all if all are paused."""
    able = [task for task in tasks if task.phase in _PAUSABLE]
    free = [task for task in able if not task.held]
    finishing = [task for task in able if task.listens and task.phase is Phase.RUNNING]
    if free or finishing:
        return tuple(PauseRequested(task=task.id, by=YOU) for task in free or finishing)
    return tuple(ResumeRequested(task=task.id, by=YOU) for task in able)


def boosts(tasks: Sequence[TaskState]) -> tuple[Event, ...]:
    """Boost tasks that are not boosted; if all are, remove the boost."""
    able = [task for task in tasks if task.phase not in TERMINAL]
    plain = [task for task in able if not task.boosted]
    return tuple(BoostRequested(task=task.id, by=YOU) for task in plain or able)


def retries(tasks: Sequence[TaskState]) -> tuple[Event, ...]:
    """Return new attempts for tasks that run or have ended without success."""
    return tuple(RetryRequested(task=task.id, by=YOU) for task in tasks if _may_retry(task))


def aborts(tasks: Sequence[TaskState]) -> tuple[Event, ...]:
    """Abort tasks that have not ended."""
    return tuple(
        AbortRequested(task=task.id, by=YOU) for task in tasks if task.phase not in TERMINAL
    )


def listeners(tasks: Sequence[TaskState]) -> tuple[TaskState, ...]:
    """Return the tasks that accept messages now."""
    return tuple(task for task in tasks if task.listens and task.holds_slot)


def _may_retry(task: TaskState) -> bool:
    return task.phase in _RETRIABLE


_ON_TASKS: dict[str, Callable[[Sequence[TaskState]], tuple[Event, ...]]] = {
    "pause": pauses,
    "boost": boosts,
    "retry": retries,
    "abort": aborts,
}
_ON_RUN = frozenset({"pause_run", "boost_run", "abort_run", "slots", "land"})


def why_not(action: str, state: RunState | None, tasks: Sequence[TaskState]) -> str:
    """Return why an action of the monitor has no effect now, or "" if it has one."""
    if action not in {*_ON_TASKS, *_ON_RUN, "conflict", "copy", "message"}:
        return ""
    if state is None:
        return "no run is open"
    if action in _ON_RUN:
        return _why_not_on_run(action, state)
    if action == "conflict":
        return "" if state.open_conflicts else "the run has no open conflict"
    if not tasks:
        return "no task is selected"
    if action == "message":
        return "" if listeners(tasks) else _why_no_listener(tasks)
    if action == "copy" or _ON_TASKS[action](tasks):
        return ""
    return _condition(tasks)


def _condition(tasks: Sequence[TaskState]) -> str:
    """Return the phase of one task, or that none of several fits, as a reason."""
    if len(tasks) > 1:
        return f"has no effect on any of the {len(tasks)} marked tasks"
    return f"{tasks[0].id} {_CONDITIONS[tasks[0].phase]}"


def _why_no_listener(tasks: Sequence[TaskState]) -> str:
    if len(tasks) == 1 and tasks[0].holds_slot:
        return f"{tasks[0].id} accepts no messages"
    return _condition(tasks)


def _why_not_on_run(action: str, state: RunState) -> str:
    if action == "land":
        return _why_not_landed(state)
    if state.stage is RunStage.FINISHED:
        return "the run has finished"
    if action == "pause_run" and state.stage is RunStage.DRAINING:
        return "the run is stopping"
    if (
        action == "boost_run"
        and state.capacity_before_boost is None
        and state.capacity >= state.rules.emergency_slots
    ):
        return f"the run already has {counted(state.capacity, 'slot')}"
    return ""


def _why_not_landed(state: RunState) -> str:
    if state.target is None:
        return "the run started from a detached HEAD, not from a branch"
    if not state.has_landed:
        return "nothing has landed on the run's branch yet"
    if state.land_status is LandStatus.LANDED:
        return f"already merged into {clean(state.target)}"
    if state.land_status is LandStatus.RUNNING:
        return f"merging into {clean(state.target)} is under way"
    return ""
