"""The end of a run: when it ends, and with which outcome and exit code."""

from pex_tui.core.consequences import is_drained, is_over, is_stuck
from pex_tui.core.events.run_events import Event, Noticed, RunDrainRequested, RunFinished
from pex_tui.core.model.phases import Phase, RunStage
from pex_tui.core.model.state import LandStatus, Outcome, RunState
from pex_tui.core.model.task_state import FailureKind, TaskState, Verdict
from pex_tui.core.run_time import elapsed_seconds

NOBODY = "nobody there to ask"
"""The decider of a permission in an unattended run."""

EXIT_CODES = {
    Outcome.OK: 0,
    Outcome.FAILED: 1,
    Outcome.ABORTED: 1,
    Outcome.CONFLICTS: 3,
    Outcome.GATE_FAILED: 4,
    Outcome.DENIED: 6,
    Outcome.INTERRUPTED: 130,
    Outcome.ROLLED_BACK: 1,
}


def conclude(state: RunState) -> tuple[Outcome, int]:
    """Return the outcome and the exit code; of several, the gravest: 130, 4, 3, 6, 1."""
    outcome = _outcome(state)
    return outcome, EXIT_CODES[outcome]


def ending(state: RunState, now: float, *, attended: bool) -> tuple[Event, ...]:
    """Return the events that end the run now or lead to its end; empty while it progresses.

    `now` is in absolute seconds. An unattended run that stands still ends like a drained one, and
    can be resumed.
    """
    if state.stage is RunStage.FINISHED:
        return ()
    is_left_alone = not attended and is_stuck(state)
    if state.stage is RunStage.DRAINING:
        if is_drained(state):
            return (_finished(state, now),)
        return (RunDrainRequested(NOBODY, kill=True),) if is_left_alone else ()
    if not is_over(state, attended=attended):
        return ()
    paused = state.stage is RunStage.PAUSED or any(
        task.held or task.holds_slot for task in state.tasks
    )
    if is_left_alone and paused:
        return (Noticed(_why_left(state)), RunDrainRequested(NOBODY))
    return (_finished(state, now),)


def _finished(state: RunState, now: float) -> RunFinished:
    return RunFinished(*conclude(state), elapsed_seconds(state, now), at=now)


def _why_left(state: RunState) -> str:
    held = [task.id for task in state.tasks if task.held]
    what = f"{', '.join(held)} {'is' if len(held) == 1 else 'are'}" if held else "The run is"
    return (
        f"{what} paused and nobody is attached, so the run ends here. "
        f"`pex-tui resume {state.run}` continues it."
    )


def _outcome(state: RunState) -> Outcome:
    phases = {task.phase for task in state.tasks}
    if state.stage is RunStage.DRAINING and _has_work_left(state):
        return Outcome.INTERRUPTED
    if any(task.phase in {Phase.READY, Phase.BACKOFF} for task in state.tasks):
        return Outcome.INTERRUPTED  # a person could have let it continue
    if any(
        task.phase is Phase.FAILED
        and task.failure is not None
        and task.failure.kind is FailureKind.GATE
        for task in state.tasks
    ):
        return Outcome.GATE_FAILED
    if Phase.CONFLICT in phases:
        return Outcome.CONFLICTS
    if any(_was_denied(task) for task in state.tasks):
        return Outcome.DENIED
    if Phase.FAILED in phases:
        return Outcome.FAILED
    if any(task.rolled_back for task in state.tasks):
        return Outcome.ROLLED_BACK
    if Phase.ABORTED in phases:
        return Outcome.ABORTED
    refused = state.land_status is LandStatus.REFUSED
    return Outcome.FAILED if refused else Outcome.OK


def _was_denied(task: TaskState) -> bool:
    """Return whether the task failed for lack of a permission or waits for one."""
    return any(
        asked.verdict is Verdict.DENY and (task.phase is Phase.FAILED or asked.by == NOBODY)
        for asked in task.permissions
    )


def _has_work_left(state: RunState) -> bool:
    """Return whether `resume` would find work; a run cut short at its very end is complete."""
    lands = state.land_status in {LandStatus.ASKED, LandStatus.RUNNING}
    return lands or bool(state.standings.left)
