"""Output of a headless run while it runs: notes for a person, or JSON Lines."""

import time
from collections.abc import Callable, Iterator

from pex_tui.core.events.agent_events import PermissionAsked, PermissionDecided
from pex_tui.core.events.landing_events import (
    BranchMoved,
    GateFinished,
    MergeConflicted,
    WorkMerged,
)
from pex_tui.core.events.run_events import (
    AgentStarted,
    ConflictDecided,
    Event,
    RunAdopted,
    RunDrainRequested,
    RunLanded,
    RunLandRefused,
)
from pex_tui.core.formatting import listed
from pex_tui.core.landing.approval import landed_files
from pex_tui.core.landing.auto_resolution import told_strategies
from pex_tui.core.lifecycle.rate_limits import over_budget
from pex_tui.core.model.phases import LandingStage, Phase
from pex_tui.core.model.state import LandStatus, RunState
from pex_tui.core.model.task_state import TaskState, Verdict
from pex_tui.core.sanitize import clean
from pex_tui.core.views.status_text import StartQueue, activity
from pex_tui.headless.streams import Printer

_BECAME = {
    Phase.DONE: "✓",
    Phase.BACKOFF: "↻",
    Phase.FAILED: "✗",
    Phase.ABORTED: "⊘",
    Phase.SKIPPED: "⊘",
}


class Narrator:
    """Prints one line per noteworthy event.

    The exit of a task's process is not noteworthy; the task's outcome is.
    """

    def __init__(self, printer: Printer, state: Callable[[], RunState]) -> None:
        self._print = printer
        self._state = state
        self._phases = [task.phase for task in state().tasks]
        self._seq = state().seq
        self._notices = len(state().notices)
        self._adopted_at = 0.0
        self._budget_is_up = False

    def __call__(self, seq: int, event: Event) -> None:
        """Print an event and its effect on the tasks, if noteworthy."""
        del seq
        state = self._state()
        if isinstance(event, RunAdopted):
            self._adopted_at = event.at
        for text in (
            _told(event, state, self._adopted_at),
            *self._noticed(state),
            *self._moved(state, event.at),
            self._budget(state),
        ):
            if text:
                clock = time.strftime("%H:%M:%S", time.localtime(event.at))
                self._print(f"{clock} {clean(text)}")

    def _noticed(self, state: RunState) -> Iterator[str]:
        for text in state.notices[self._notices :]:
            yield f"! {text}"
        self._notices = len(state.notices)

    def _moved(self, state: RunState, now: float) -> Iterator[str]:
        is_next, self._seq = state.seq == self._seq + 1, state.seq
        for position in state.standings.touched if is_next else range(len(state.tasks)):
            task = state.tasks[position]
            if self._phases[position] is not task.phase:
                self._phases[position] = task.phase
                yield _became(state, task, now)

    def _budget(self, state: RunState) -> str:
        was_up, used_up = self._budget_is_up, over_budget(state)
        self._budget_is_up = bool(used_up)
        return (
            f"! The budget is used up ({used_up}): no agent starts"
            if used_up and not was_up
            else ""
        )


def _told(event: Event, state: RunState, adopted_at: float) -> str:
    match event:
        case AgentStarted() if event.started_at < adopted_at:  # adopted, not started
            return f"▸ {event.task} still runs in slot {event.slot}"
        case AgentStarted():
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return f"▸ {event.task} started in slot {event.slot}{again}"
        case BranchMoved():
            files = len(landed_files(state, state.task(event.task)))
            return f"✓ {event.task} landed as {event.commit[:9]}, {files} file{_s(files)}"
        case GateFinished() if not event.passed:
            return _red(event, state)
        case MergeConflicted():
            paths = listed([file.path for file in event.files])
            against = f" with {', '.join(event.against)}" if event.against else ""
            return f"⇄ {event.task}: conflict in {paths}{against}; {_what_now(event, state)}"
        case WorkMerged() if _waits_for_allowance(event, state):
            paths = listed(list(event.protected))
            return f"⇄ {event.task}: changes protected {paths}; it waits for a decision"
        case WorkMerged() if event.combined:
            paths = listed([file.path for file in event.combined])
            against = f" with {', '.join(event.against)}" if event.against else ""
            how = told_strategies(event.combined)
            return f"⇄ {event.task}: conflict in {paths}{against}; resolved by rule: {how}"
        case PermissionAsked(announced=False):
            return f"? {event.task} asks to {event.title}"
        case PermissionDecided(verdict=Verdict.DENY):
            return f"✗ {event.task}: denied ({event.by})"
        case PermissionDecided():
            return f"✓ {event.task}: allowed ({event.by})"
        case ConflictDecided():
            return f"⇄ {event.task}: {event.by} chose {event.decision}"
        case RunAdopted():
            return f"run {state.run} is resumed"
        case RunDrainRequested(kill=False):
            return "starting nothing more; waiting for running agents (again to end them now)"
        case RunDrainRequested():
            return "ending running agents; their work is kept"
        case RunLanded():
            return f"✓ {event.target}: {event.detail}"
        case RunLandRefused() if state.land_status is LandStatus.ASKED:
            return f"! {state.target}: {state.land_detail}"
        case RunLandRefused():
            return f"✗ not landed: {event.reason}"
        case _:
            return ""


def _became(state: RunState, task: TaskState, now: float) -> str:
    """Describe a task's new state; landings and conflicts are printed as events."""
    mark = _BECAME.get(task.phase)
    return f"{mark} {task.id}: {activity(state, task, now, StartQueue())}" if mark else ""


def _red(event: GateFinished, state: RunState) -> str:
    if event.commit == state.base:
        return f"✗ the gate is red on the base as well: {event.command}"
    failed = f"the gate failed: {event.command}"
    if event.task not in state.landing:
        return f"✗ {event.task}: {failed}"
    tested = state.landing[: state.landing.index(event.task) + 1]
    if len(tested) > 1:
        return f"✗ {', '.join(tested)} together: {failed}; testing halves"
    is_asked_again = state.task(event.task).landing_stage is LandingStage.GATING_AGAIN
    return f"✗ {event.task}: {failed}{'; retrying' if is_asked_again else ''}"


def _what_now(event: MergeConflicted, state: RunState) -> str:
    match state.task(event.task).phase:
        case Phase.CONFLICT:
            return "it waits for a decision"
        case Phase.ABORTED:
            return "it is given up"
        case _:
            return "it reruns on the latest commit"


def _waits_for_allowance(event: WorkMerged, state: RunState) -> bool:
    return bool(event.protected) and state.task(event.task).phase is Phase.CONFLICT


def _s(count: int) -> str:
    return "" if count == 1 else "s"
