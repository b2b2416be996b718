"""Liveness of a run: progress without a person, or a wait for a person.

Invariant: a run with nothing live, nothing to start and no deadline is over or names the person's
decision that it waits for. `stands_still` is the first half; it ends an unattended run.
"""

from collections.abc import Iterator

from pex_tui.core.lifecycle.attempts import wants_pause
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.state import LandStatus, RunState
from pex_tui.core.model.task_state import TaskState, WaitCause

_MOVES_BY_ITSELF = frozenset(
    {Phase.STARTING, Phase.STOPPING, Phase.CAPTURING, Phase.QUEUED, Phase.LANDING}
)


def stands_still(state: RunState) -> bool:
    """Return whether work is left and no task progresses without a person.

    Ready tasks that could start, and their deadlines, are not checked.
    """
    if state.land_status in {LandStatus.ASKED, LandStatus.RUNNING}:
        return False
    return bool(state.standings.left) and not any(_moves(state, task) for task in _begun(state))


def waits_for_a_person(state: RunState) -> bool:
    """Return whether work is left and none of it progresses before a person decides."""
    return stands_still(state) and (
        state.standings.held > 0 or any(waits_for_an_answer(task) for task in _begun(state))
    )


def _begun(state: RunState) -> Iterator[TaskState]:
    """Yield the tasks at work or past it, and ready ones with a recorded wait."""
    standings = state.standings
    return (state.tasks[position] for position in (*standings.live, *standings.told))


def waits_for_an_answer(task: TaskState) -> bool:
    """Return whether the task itself waits for a person's decision."""
    return bool(task.phase is Phase.CONFLICT or task.held or task.asks or waits_for_money(task))


def waits_for_money(task: TaskState) -> bool:
    """Return whether the run's budget is used up and a person has to decide."""
    return (
        task.phase is Phase.READY and task.wait is not None and task.wait.cause is WaitCause.BUDGET
    )


def _moves(state: RunState, task: TaskState) -> bool:
    """Return whether the task progresses by time alone; a ready one waits for others."""
    match task.phase:
        case Phase.RUNNING:
            return not task.asks and not _waits_for_others(state, task)
        case Phase.PAUSED:
            return not wants_pause(state, task)
        case Phase.BACKOFF:
            return not task.held
        case Phase.READY:
            return task.wait is not None and task.wait.cause is WaitCause.LIMIT and not task.held
        case _:
            return task.phase in _MOVES_BY_ITSELF


def _waits_for_others(state: RunState, task: TaskState) -> bool:
    """Return whether a task at work waits indefinitely for a file or a lock.

    It does not while one of its processes works under a lock that the task holds.
    """
    claims = [one for one in state.claims if one.task == task.id]
    waiting = [one for one in claims if one.is_waiting]
    outer = {name for one in waiting for name in one.within}
    if any(not one.is_waiting and one.claim not in outer for one in claims):
        return False
    has_no_limit = any(one.until is None for one in waiting)
    return has_no_limit or any(one.held_by is not None for one in task.permissions)
