"""Bringing a run to the user's branch: when that is done, and again after what may pass."""

from pex_tui.core.events.actions import LandRun
from pex_tui.core.events.run_events import RunLanded, RunLandRefused
from pex_tui.core.lifecycle.backoff import backoff_seconds
from pex_tui.core.lifecycle.git_refusals import MOST_REFUSALS
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import SUCCEEDED
from pex_tui.core.model.state import LandStatus, RunState

_NO_TASK = TaskId("_landing")  # no task can have this name


def land_run(draft: Draft) -> None:
    """Bring the run to the user's branch once it is wanted, its time has come and nothing lands."""
    _want_at_end(draft)
    state = draft.state
    waits = state.land_retry_at is not None and state.land_retry_at > draft.now
    if state.land_status is not LandStatus.ASKED or state.landing or waits:
        return
    if state.target is None:
        draft.set(
            land_status=LandStatus.REFUSED,
            land_detail="the run started from a detached HEAD, so there is no branch to land on",
        )
    else:
        draft.set(land_status=LandStatus.RUNNING, land_retry_at=None)
        draft.act(LandRun(state.target))


def apply_run_landed(draft: Draft, event: RunLanded) -> None:
    """The user's branch holds the run."""
    detail = event.detail or f"{event.target} is at {event.commit[:9]}"
    draft.set(
        land_status=LandStatus.LANDED, land_detail=detail, land_refusals=0, land_retry_at=None
    )


def apply_run_land_refused(draft: Draft, event: RunLandRefused) -> None:
    """Try again in a while what may pass by itself, as each step of a task's landing is."""
    state = draft.state
    refusals = state.land_refusals + 1
    if not event.passing or refusals > MOST_REFUSALS:
        draft.set(
            land_status=LandStatus.REFUSED,
            land_detail=event.reason,
            land_refusals=0,
            land_retry_at=None,
        )
        return
    draft.set(
        land_status=LandStatus.ASKED,
        land_detail=f"git refused, again soon ({refusals} of {MOST_REFUSALS}): {event.reason}",
        land_refusals=refusals,
        land_retry_at=draft.now + backoff_seconds(state, _NO_TASK, refusals),
    )


def land_deadline(state: RunState) -> float | None:
    """When the branch of the user is tried again, in absolute seconds."""
    return state.land_retry_at if state.land_status is LandStatus.ASKED else None


def _want_at_end(draft: Draft) -> None:
    state = draft.state
    wanted = state.rules.land_at_end and state.land_status is LandStatus.NOT_ASKED
    if not wanted or state.standings.left:
        return
    if any(task.phase not in SUCCEEDED for task in state.tasks):
        draft.set(
            land_status=LandStatus.REFUSED,
            land_detail="not every task ended well, so nothing was brought to the branch",
        )
    elif any(task.landed for task in state.tasks):  # else there is nothing to bring
        draft.set(land_status=LandStatus.ASKED)
