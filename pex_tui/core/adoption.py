"""Recovery of a run by a new engine."""

from pex_tui.core.coordination.locks import mark_claims_absent
from pex_tui.core.events.actions import (
    Action,
    AdoptAgent,
    CaptureWork,
    LandRun,
    MoveBranch,
    RunGate,
)
from pex_tui.core.events.run_events import RunAdopted
from pex_tui.core.landing.auto_resolution import merge_work
from pex_tui.core.lifecycle.attempts import wants_pause
from pex_tui.core.lifecycle.conflict_log import PEX
from pex_tui.core.lifecycle.rate_limits import extend_budget, over_budget
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.phases import HOLDS_SLOT, LandingStage, Phase, RunStage
from pex_tui.core.model.run_rules import Guard
from pex_tui.core.model.state import LandStatus, RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.user_requests import reopen, resume_tasks


def apply_run_adopted(draft: Draft, event: RunAdopted) -> None:
    """Take over a run: check what was in flight, and repeat what was requested."""
    state = draft.state
    if not event.keep_pauses:
        for task in state.tasks:
            if task.held:
                draft.change(task.id, held=False)
    if state.stage is RunStage.PAUSED and not event.keep_pauses:
        resume_tasks(draft)
        draft.actions.clear()  # each tree is located first; AgentStarted then resumes it
    elif state.stage in {RunStage.DRAINING, RunStage.FINISHED}:
        draft.set(stage=RunStage.RUNNING, outcome=None, exit_code=None, finished_at=None)
        if over_budget(draft.state):
            extend_budget(draft)
            draft.notice("Resumed: the run may spend its budget once more.")
    mark_claims_absent(draft)
    if event.sandbox:
        draft.set(sandbox=event.sandbox)
    if event.guards:
        _take_guards(draft, event.guards)
    if state.land_status is LandStatus.REFUSED:
        draft.set(land_status=LandStatus.NOT_ASKED, land_detail="")
    for task in state.tasks:
        found = draft.task(task.id)
        is_aborted_by_rule = found.phase is Phase.ABORTED and found.aborted_by == PEX
        is_aborted_with_run = found.phase is Phase.ABORTED and found.aborted_with_run
        if (
            (event.retry_failed and found.phase is Phase.FAILED)
            or (event.retry_aborted and is_aborted_by_rule)
            or (event.retry_run_abort and is_aborted_with_run)
        ):
            reopen(draft, task.id)
    unfinished = unfinished_actions(draft.state)
    draft.act(*(action for action in unfinished if action not in draft.actions))


def _take_guards(draft: Draft, guards: tuple[Guard, ...]) -> None:
    """Limit tasks by these settings from now on, and say which differ from those before."""
    before = dict(draft.state.guards)
    changed = [
        f"{name} is {value}, was {before[name]}"
        for name, value in guards
        if before.get(name, value) != value
    ]
    draft.set(guards=guards)
    if changed:
        draft.notice(
            f"Other limits than before: {'; '.join(changed)}. What `--set` says counts for one "
            "command: repeat it, or write it into the configuration."
        )


def unfinished_actions(state: RunState) -> tuple[Action, ...]:
    """Return the actions without a journaled outcome; each is safe to perform again."""
    actions = [action for task in state.tasks if (action := _unfinished(state, task)) is not None]
    if state.land_status is LandStatus.RUNNING and state.target is not None:
        actions.append(LandRun(state.target))
    return tuple(actions)


def _unfinished(state: RunState, task: TaskState) -> Action | None:
    if task.phase in HOLDS_SLOT and task.slot is not None:
        held = task.phase is Phase.PAUSED or (task.listens and wants_pause(state, task))
        return AdoptAgent(task.id, task.attempt, task.slot, held)
    if task.phase is Phase.CAPTURING:
        return CaptureWork(task.id, task.attempt)
    if task.phase is not Phase.LANDING:
        return None
    match task.landing_stage:
        case LandingStage.MERGED | LandingStage.PASSED:
            return None
        case LandingStage.GATING | LandingStage.GATING_AGAIN if task.candidate is not None:
            return RunGate(task.id, task.attempt, task.candidate)
        case LandingStage.GATING_BASE:
            return RunGate(task.id, task.attempt, state.base)
        case LandingStage.MOVING if task.tip is not None and task.candidate is not None:
            return MoveBranch(task.id, task.attempt, task.tip, task.candidate)
        case _ if task.work is not None:
            return merge_work(state, task, task.work)
        case _:
            return None
