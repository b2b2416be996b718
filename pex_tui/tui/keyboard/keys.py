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
from pex_tui.core.model.phases import TERMINAL, Phase, RunStage
from pex_tui.core.model.state import LandStatus, RunState
from pex_tui.core.model.task_state import TaskState

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


def may(action: str, state: RunState | None, tasks: Sequence[TaskState]) -> bool:
    """Return whether an action of the monitor would have an effect now."""
    if action in _ON_TASKS:
        return state is not None and bool(_ON_TASKS[action](tasks))
    if action == "conflict":
        return state is not None and bool(state.open_conflicts)
    if action == "copy":
        return bool(tasks)
    if action == "message":
        return bool(listeners(tasks))
    if action in _ON_RUN:
        return state is not None and _may_on_run(action, state)
    return True


def _may_on_run(action: str, state: RunState) -> bool:
    if action == "land":
        done = state.land_status in {LandStatus.LANDED, LandStatus.RUNNING}
        return state.target is not None and not done
    if state.stage is RunStage.FINISHED:
        return False
    if action == "pause_run":
        return state.stage in {RunStage.RUNNING, RunStage.PAUSED}
    if action == "boost_run":
        boosted = state.capacity_before_boost is not None
        return boosted or state.capacity < state.rules.emergency_slots
    return True
