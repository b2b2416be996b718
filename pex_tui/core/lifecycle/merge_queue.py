"""Membership and order of the merge queue."""

from pex_tui.core.events.actions import StopGate
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import LandingStage, Phase
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState

GATED = frozenset({LandingStage.GATING, LandingStage.GATING_AGAIN, LandingStage.GATING_BASE})
"""Stages with a running gate."""


def enqueue(draft: Draft, task: TaskState) -> None:
    """Put a task with captured work at the end of the queue."""
    draft.move(task.id, Phase.QUEUED)
    draft.set(landing=(*draft.state.landing, task.id))


def leave_queue(draft: Draft, task: TaskState) -> None:
    """Take a task out of the queue, wherever it stands."""
    draft.set(landing=tuple(other for other in draft.state.landing if other != task.id))
    draft.change(task.id, landing_stage=None)


def landing_tasks(state: RunState) -> tuple[TaskState, ...]:
    """Return the entries in flight, in landing order."""
    tasks = (state.task(name) for name in state.landing)
    return tuple(task for task in tasks if task.phase is Phase.LANDING)


def stop_gate(draft: Draft, task: TaskState) -> None:
    """End the gate of an entry that leaves its place."""
    if task.landing_stage in GATED:
        draft.act(StopGate(task.id))


def withdraw(draft: Draft, task: TaskState) -> None:
    """Remove an entry that did not land; those merged onto it start over."""
    step_back(draft, task.id)
    stop_gate(draft, task)
    leave_queue(draft, task)


def step_back(draft: Draft, behind: TaskId | None) -> None:
    """Put the entries behind one of them, or all entries, back among those not in flight."""
    entries = [task.id for task in landing_tasks(draft.state)]
    first = 0 if behind is None else entries.index(behind) + 1
    for name in entries[first:]:
        stop_gate(draft, draft.task(name))
        draft.move(name, Phase.QUEUED, landing_stage=None, candidate=None, failure=None, onto=None)
