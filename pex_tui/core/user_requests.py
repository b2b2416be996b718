"""Requests by people about tasks and the run; a request that no longer applies changes nothing."""

from pex_tui.core.events.actions import PauseAgent, ResumeAgent
from pex_tui.core.events.agent_events import BudgetExtended
from pex_tui.core.events.run_events import (
    AbortRequested,
    BoostRequested,
    BoostToggled,
    LandRequested,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    RunAbortRequested,
    RunDrainRequested,
    RunPauseRequested,
    RunRequest,
    RunResumeRequested,
    SlotsRequested,
    TaskRequest,
)
from pex_tui.core.lifecycle.attempts import ready, stop, wants_pause
from pex_tui.core.lifecycle.conflict_log import close_conflicts
from pex_tui.core.lifecycle.git_refusals import take_up_step
from pex_tui.core.lifecycle.rate_limits import extend_budget
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.lifecycle.stopping import abort_run, abort_task, interrupt_agents
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import TERMINAL, Phase, RunStage
from pex_tui.core.model.run_rules import MOST_SLOTS
from pex_tui.core.model.state import LandStatus
from pex_tui.core.model.task_state import StopCause, TaskState

_NOT_STARTED = frozenset({Phase.WAITING, Phase.READY, Phase.STARTING, Phase.BACKOFF})
_RETRIABLE = frozenset({Phase.FAILED, Phase.ABORTED, Phase.SKIPPED})


def apply_task_request(draft: Draft, event: TaskRequest) -> None:
    """Apply a request about one task."""
    task = draft.task(event.task)
    match event:
        case PauseRequested():
            _pause(draft, task)
        case ResumeRequested():
            draft.change(task.id, held=False, yields_to=None, squeezed=False)
            if task.phase is Phase.PAUSED or (
                task.phase is Phase.RUNNING and (task.held or task.yields_to or task.squeezed)
            ):
                draft.act(ResumeAgent(task.id, task.attempt))
        case BoostRequested():
            if task.phase not in TERMINAL:
                draft.change(task.id, boosted=not task.boosted)
        case AbortRequested():
            abort_task(draft, task.id, event.by)
        case RetryRequested():
            _retry(draft, task, event.by)


def apply_run_request(draft: Draft, event: RunRequest) -> None:
    """Apply a request about the whole run."""
    state = draft.state
    match event:
        case RunPauseRequested() if state.stage is RunStage.RUNNING:
            draft.set(stage=RunStage.PAUSED, paused_at=draft.now)
            for task in state.tasks:
                if task.phase is Phase.RUNNING:
                    draft.act(PauseAgent(task.id, task.attempt, gently=task.listens))
        case RunResumeRequested() if state.stage is RunStage.PAUSED:
            resume_tasks(draft)
        case RunAbortRequested() if state.stage is not RunStage.FINISHED:
            if state.stage is RunStage.PAUSED:
                _end_pause(draft, RunStage.RUNNING)
            abort_run(draft, event.by, by_person=True)
        case RunDrainRequested() if state.stage is not RunStage.FINISHED:
            _end_pause(draft, RunStage.DRAINING)
            draft.set(killed=event.kill)
            interrupt_agents(draft, frozen_only=not event.kill)
        case SlotsRequested():
            slots = max(1, min(MOST_SLOTS, event.slots))
            draft.set(capacity=slots, capacity_before_boost=None)
        case BoostToggled():
            _toggle_boost(draft)
        case BudgetExtended():
            extend_budget(draft)
        case LandRequested() if state.land_status is not LandStatus.RUNNING:
            draft.set(
                land_status=LandStatus.ASKED, land_detail="", land_refusals=0, land_retry_at=None
            )
        case _:
            pass


def resume_tasks(draft: Draft) -> None:
    """Resume everything except tasks that a person paused individually."""
    _end_pause(draft, RunStage.RUNNING)
    for task in draft.state.tasks:
        if task.phase in {Phase.PAUSED, Phase.RUNNING} and not wants_pause(draft.state, task):
            draft.act(ResumeAgent(task.id, task.attempt))


def reopen(draft: Draft, task_id: TaskId) -> None:
    """Reopen a task without success, and the tasks skipped because of it.

    A task whose work git refused to capture or land continues at that step.
    """
    graph = draft.state.graph
    found = [graph.index[task_id]]
    while found:
        task = draft.state.tasks[found.pop()]
        if task.id != task_id and task.phase is not Phase.SKIPPED:
            continue  # reached by another path already
        _reopen_one(draft, task)
        found.extend(reversed(graph.dependents[graph.index[task.id]]))


def _reopen_one(draft: Draft, task: TaskState) -> None:
    if take_up_step(draft, task):
        return
    draft.move(
        task.id,
        Phase.WAITING,
        ended_at=None,
        failure=None,
        failures=0,
        gate_reruns=0,
        stop=None,
        aborted_by="",
        aborted_with_run=False,
        rolled_back=None,
        reason="",
    )
    draft.changed.append(task.id)


def _end_pause(draft: Draft, stage: RunStage) -> None:
    state = draft.state
    paused = 0.0 if state.paused_at is None else draft.now - state.paused_at
    draft.set(stage=stage, paused_at=None, paused_seconds=state.paused_seconds + paused)


def _pause(draft: Draft, task: TaskState) -> None:
    """Pause an agent: at its next step if it takes messages, at once if asked again."""
    if task.phase in _NOT_STARTED or task.phase is Phase.RUNNING:
        draft.change(task.id, held=True)
        if task.phase is Phase.RUNNING:
            gently = task.listens and not task.held
            draft.act(PauseAgent(task.id, task.attempt, gently))


def _toggle_boost(draft: Draft) -> None:
    state = draft.state
    if state.capacity_before_boost is not None:
        draft.set(capacity=state.capacity_before_boost, capacity_before_boost=None)
    elif state.capacity < state.rules.emergency_slots:
        draft.set(capacity=state.rules.emergency_slots, capacity_before_boost=state.capacity)


def _retry(draft: Draft, task: TaskState, by: str) -> None:
    if task.phase in {Phase.RUNNING, Phase.PAUSED}:
        draft.change(task.id, held=False, reason=f"again, requested by {by}")
        stop(draft, task, StopCause.RERUN)
    elif task.phase is Phase.BACKOFF:
        ready(draft, task, "again, now")
    elif task.phase is Phase.CONFLICT:
        close_conflicts(draft, task.id, Decision.RERUN, by)
        draft.change(task.id, reruns=task.reruns + 1, earlier=task.own_work or task.work)
        ready(draft, task, "again, on the latest commit")
    elif task.phase in _RETRIABLE:
        if draft.state.stage is RunStage.FINISHED:
            draft.set(stage=RunStage.RUNNING, outcome=None, exit_code=None, finished_at=None)
        reopen(draft, task.id)
