"""Landings that a person has undone: their tasks count as aborted until they land again."""

from pex_tui.core.events.rollback_events import (
    RollbackBegun,
    RollbackEvent,
    RollbackRefused,
    RollbackUndone,
)
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import SUCCEEDED, Phase, RunStage
from pex_tui.core.model.state import LandStatus, Outcome

_EXIT_CODES = {Outcome.ROLLED_BACK: 1, Outcome.ABORTED: 1, Outcome.OK: 0}
_REPLACED = frozenset({Outcome.OK, Outcome.ABORTED})  # other outcomes say what is worse


def apply_rollback_event(draft: Draft, event: RollbackEvent) -> None:
    """Apply an event of a rollback."""
    if isinstance(event, RollbackBegun):
        draft.set(rolling_back=event.undo)
        return
    if isinstance(event, RollbackRefused):
        draft.set(rolling_back="")
        draft.notice(f"Not rolled back: {event.reason}")
        return
    draft.set(rolling_back="", tip=event.tip)
    if isinstance(event, RollbackUndone):
        for task in event.tasks:
            _bring_back(draft, task)
    else:
        for task in event.tasks:
            _take_back(draft, task, event.by)
    _update_landing(draft, event.target, is_back=isinstance(event, RollbackUndone))
    _update_outcome(draft)
    where = " and ".join(name for name in (draft.state.branch, event.target) if name)
    names = ", ".join(event.tasks)
    if isinstance(event, RollbackUndone):
        draft.notice(f"Brought back on {where}: {names}.")
    else:
        back = f"`pex-tui recover {event.undo}` brings it back"
        draft.notice(f"Rolled back on {where}: {names}; {back}.")


def _take_back(draft: Draft, task_id: TaskId, by: str) -> None:
    task = draft.task(task_id)
    if task.phase is not Phase.LANDED:
        return
    draft.move(
        task_id,
        Phase.ABORTED,
        landed=None,
        rolled_back=task.landed,
        aborted_by=by,
        ended_at=task.ended_at,
        reason=f"rolled back by {by}",
    )


def _bring_back(draft: Draft, task_id: TaskId) -> None:
    task = draft.task(task_id)
    if task.phase is not Phase.ABORTED or task.rolled_back is None:
        return
    draft.move(
        task_id,
        Phase.LANDED,
        landed=task.rolled_back,
        rolled_back=None,
        aborted_by="",
        ended_at=task.ended_at,
        reason="",
    )


def _update_landing(draft: Draft, target: str, *, is_back: bool) -> None:
    """Have the landing on the user's branch say what is there; nothing lands by itself again."""
    state = draft.state
    if is_back and target:
        draft.set(land_status=LandStatus.LANDED, land_detail=f"{target} has it again")
    elif state.land_status is LandStatus.LANDED and state.has_landed and not is_back:
        pass  # what is left of it is there
    elif state.rules.land_at_end:
        told = f"after a rollback, `pex-tui land {state.run}` lands what there is"
        draft.set(land_status=LandStatus.REFUSED, land_detail=told)
    elif not state.has_landed or state.land_status is LandStatus.LANDED:
        draft.set(land_status=LandStatus.NOT_ASKED, land_detail="")


def _update_outcome(draft: Draft) -> None:
    """Have a run that has ended say that something of it was rolled back, or no longer is."""
    state = draft.state
    if state.stage is not RunStage.FINISHED:
        return
    outcome = state.outcome
    if any(task.rolled_back for task in state.tasks):
        outcome = Outcome.ROLLED_BACK if outcome in _REPLACED else outcome
    elif outcome is Outcome.ROLLED_BACK:
        is_whole = all(task.phase in SUCCEEDED for task in state.tasks)
        outcome = Outcome.OK if is_whole else Outcome.ABORTED
    if outcome is not None and outcome is not state.outcome:
        draft.set(outcome=outcome, exit_code=_EXIT_CODES[outcome])
