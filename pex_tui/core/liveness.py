"""What goes on by itself, and what stands still until a person decides.

The rule of liveness: with nothing live, nothing to start and no deadline, a run is over or says
whom it waits for. `stands_still` is its first half; without a person it ends the run.
"""

from pex_tui.core.attempts import wants_pause
from pex_tui.core.ids import TaskId
from pex_tui.core.phases import TERMINAL, Phase
from pex_tui.core.state import LandStatus, RunState, TaskState, WaitCause

_MOVES_BY_ITSELF = frozenset(
    {Phase.STARTING, Phase.STOPPING, Phase.CAPTURING, Phase.QUEUED, Phase.LANDING}
)


def stands_still(state: RunState) -> bool:
    """Whether something is left to do, and no task goes on by itself.

    What is ready and could start, and what the clock brings to a ready task, is not looked at.
    """
    if state.land_status in {LandStatus.ASKED, LandStatus.RUNNING}:
        return False
    queued = _wait_for_locks(state)
    left = [task for task in state.tasks if task.phase not in TERMINAL]
    return bool(left) and not any(_moves(state, task) and task.id not in queued for task in left)


def waits_for_a_person(state: RunState) -> bool:
    """Whether something is left to do and nothing of it goes on before somebody decides."""
    return stands_still(state) and any(waits_for_an_answer(task) for task in state.tasks)


def waits_for_an_answer(task: TaskState) -> bool:
    """Whether the task itself goes on only once a person decides."""
    return bool(task.phase is Phase.CONFLICT or task.held or task.asks or waits_for_money(task))


def waits_for_money(task: TaskState) -> bool:
    """Whether the run's budget is used up and a person has to say how it goes on."""
    return (
        task.phase is Phase.READY and task.wait is not None and task.wait.cause is WaitCause.BUDGET
    )


def _wait_for_locks(state: RunState) -> frozenset[TaskId]:
    """Tasks that wait for a lock for as long as it takes, with no process at work in another."""
    waiting = [one for one in state.claims if one.is_waiting]
    outer = {name for one in waiting for name in one.within}
    at_work = {one.task for one in state.claims if not one.is_waiting and one.claim not in outer}
    return frozenset(one.task for one in waiting if one.until is None) - at_work


def _moves(state: RunState, task: TaskState) -> bool:
    """Whether time alone brings the task on; one that is ready waits for another, or a slot."""
    match task.phase:
        case Phase.RUNNING:
            return not task.asks and all(one.held_by is None for one in task.permissions)
        case Phase.PAUSED:
            return not wants_pause(state, task)
        case Phase.BACKOFF:
            return not task.held
        case Phase.READY:
            return task.wait is not None and task.wait.cause is WaitCause.LIMIT and not task.held
        case _:
            return task.phase in _MOVES_BY_ITSELF
