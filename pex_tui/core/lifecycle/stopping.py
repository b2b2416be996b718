"""Stopping of tasks and runs, on request or because the run is being killed."""

from pex_tui.core.lifecycle.attempts import stop, why_aborted
from pex_tui.core.lifecycle.conflict_log import PEX, close_conflicts
from pex_tui.core.lifecycle.merge_queue import leave_queue, withdraw
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, TERMINAL, LandingStage, Phase
from pex_tui.core.model.task_state import StopCause


def abort_task(draft: Draft, task_id: TaskId, by: str) -> None:
    """Abort a task; its work stays under its ref. A task whose branch is being moved lands."""
    task = draft.task(task_id)
    if task.phase in TERMINAL:
        return
    task = draft.change(task_id, aborted_by=task.aborted_by or by)
    if task.phase in HOLDS_SLOT:
        stop(draft, task, StopCause.ABORT)
    elif task.phase is Phase.CAPTURING:
        draft.change(task_id, stop=StopCause.ABORT)
    elif task.phase is Phase.LANDING:
        task = draft.change(task_id, stop=StopCause.ABORT)
        if task.landing_stage not in {LandingStage.MERGING, LandingStage.MOVING}:
            withdraw(draft, task)
            draft.move(task_id, Phase.ABORTED, reason=why_aborted(draft.state))
    else:
        if task.phase is Phase.QUEUED:
            leave_queue(draft, task)
        why = why_aborted(draft.state)
        close_conflicts(draft, task_id, Decision.ABORTED, by, why)
        draft.move(task_id, Phase.ABORTED, reason=why)


def abort_run(draft: Draft, by: str = PEX, *, by_person: bool = False) -> None:
    """Abort every task that has not ended; `by_person` marks those that `resume` starts again."""
    for task in draft.state.tasks:
        if task.phase not in TERMINAL:
            abort_task(draft, task.id, by)
            with_run = by_person and not task.aborted_by
            draft.change(task.id, aborted_with_run=with_run or task.aborted_with_run)


def interrupt_agents(draft: Draft, *, frozen_only: bool) -> None:
    """Stop live attempts without counting them, so that a resumed run starts them again."""
    for task in draft.state.tasks:
        if task.phase is Phase.PAUSED or (task.phase in HOLDS_SLOT and not frozen_only):
            cause = task.stop if task.stop is StopCause.ABORT else StopCause.INTERRUPT
            stop(draft, task, cause)
