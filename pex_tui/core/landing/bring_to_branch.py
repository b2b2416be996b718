"""Landing a whole run on the user's branch, with retries."""

from pex_tui.core.events.actions import LandRun
from pex_tui.core.events.run_events import RunLanded, RunLandRefused
from pex_tui.core.lifecycle.backoff import backoff_seconds
from pex_tui.core.lifecycle.git_refusals import MOST_REFUSALS
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import SUCCEEDED
from pex_tui.core.model.state import LandStatus, RunState

_NO_TASK = TaskId("_landing")  # not a legal task id


def land_run(draft: Draft) -> None:
    """Ask for the run's landing once it is requested, due, and no task is landing."""
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
    """Record that the user's branch contains the run."""
    detail = event.detail or f"{event.target} is at {event.commit[:9]}"
    draft.set(
        land_status=LandStatus.LANDED, land_detail=detail, land_refusals=0, land_retry_at=None
    )


def apply_run_land_refused(draft: Draft, event: RunLandRefused) -> None:
    """Retry a passing refusal after a delay, as for the steps of a task's landing."""
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
    """Return when the landing on the user's branch is retried, in absolute seconds."""
    return state.land_retry_at if state.land_status is LandStatus.ASKED else None


def _want_at_end(draft: Draft) -> None:
    state = draft.state
    wanted = state.rules.land_at_end and state.land_status is LandStatus.NOT_ASKED
    if not wanted or state.standings.left:
        return
    if any(task.phase not in SUCCEEDED for task in state.tasks):
        draft.set(
            land_status=LandStatus.REFUSED,
            land_detail="not every task succeeded, so nothing was landed on the branch",
        )
    elif state.has_landed:  # otherwise there is nothing to land
        draft.set(land_status=LandStatus.ASKED)
