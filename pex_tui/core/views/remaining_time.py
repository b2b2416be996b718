"""Working time of attempts, and the estimated remaining time of a run.

The run corrects its estimates as it goes: the ratio of actual to expected durations scales the
rest, and the gate is expected to take as long as last time.
"""

import math

from pex_tui.core.figures.lower_bounds import heaviest_clique
from pex_tui.core.liveness import waits_for_a_person
from pex_tui.core.model.phases import SUCCEEDED, Phase, RunStage
from pex_tui.core.model.plan import Strategy
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.views.status import Status
from pex_tui.core.views.status_text import status_of

_NO_MORE = frozenset({Status.BLOCKED, Status.CONFLICT, Status.DONE, Status.FAILED})
_TRUST = 2.0  # weight of the prior, in tasks that took as long as expected
_LEAST_KNOWN = 3  # finished tasks before they influence the estimates of others
_OVERTIME = 0.1  # fraction of the elapsed time expected beyond the estimate
_MOST_EXAMINED = 200  # tasks whose exclusions are checked


def attempt_seconds(task: TaskState, now: float) -> float | None:
    """Return how long the last attempt has worked, in seconds, without pauses and questions.

    None before its start.
    """
    if task.started_at is None or task.phase in {Phase.WAITING, Phase.READY}:
        return None
    until = now if task.exited_at is None else task.exited_at
    if task.paused_at is not None:
        until = min(until, task.paused_at)
    asked = _asked_seconds(task, until)
    return max(0.0, until - task.started_at - task.paused_seconds - asked)


def _asked_seconds(task: TaskState, until: float) -> float:
    """Return how long questions of the attempt were open, in seconds, overlaps counted once."""
    total, latest = 0.0, -math.inf
    for asked in task.permissions:
        answered = until if asked.answered_at is None else min(until, asked.answered_at)
        total += max(0.0, answered - max(asked.asked_at, latest))
        latest = max(latest, answered)
    return total


def remaining_seconds(state: RunState, task: TaskState, now: float) -> float:
    """Return the rest of the task's estimate in seconds; 0 once exceeded, or after its exit."""
    if task.exited_at is not None and task.phase is not Phase.BACKOFF:
        return 0.0
    worked = None if task.phase is Phase.BACKOFF else attempt_seconds(task, now)
    return max(0.0, state.spec(task.id).estimate_seconds - (worked or 0.0))


def stretch(state: RunState) -> float:
    """Return the factor by which this run's tasks take longer than estimated."""
    known = [
        math.log(max(took, 0.001) / state.spec(task.id).estimate_seconds)
        for task in state.tasks
        if task.phase in SUCCEEDED
        and (took := attempt_seconds(task, state.now)) is not None
        and state.spec(task.id).estimate_seconds > 0
    ]
    return math.exp(sum(known) / (len(known) + _TRUST)) if len(known) >= _LEAST_KNOWN else 1.0


def eta_seconds(state: RunState, now: float) -> float | None:
    """Return the seconds left of the run, from its longest chain, slots, exclusions and gate.

    None when unknown, or when nothing is left.
    """
    if state.stage is not RunStage.RUNNING or waits_for_a_person(state):
        return None
    factor = stretch(state)
    left = [_left(state, task, now, factor) for task in state.tasks]
    slots = 1 if state.plan.strategy is Strategy.SEQUENTIAL else state.capacity
    chains = (
        seconds
        + factor * max((state.graph.blevels[d] for d in state.graph.dependents[at]), default=0.0)
        for at, seconds in enumerate(left)
        if seconds
    )
    alone = heaviest_clique(state.graph.excluded, left) if len(left) <= _MOST_EXAMINED else 0.0
    work = max(max(chains, default=0.0), sum(left) / slots, alone)
    gate = _gate_seconds(state)
    landings = sum(_may_land(state, task) for task in state.tasks)
    batches = math.ceil(landings / state.rules.gate_batch)
    seconds = max(work + (gate if landings else 0.0), gate * batches)
    return seconds if seconds >= 1 else None


def _left(state: RunState, task: TaskState, now: float, factor: float) -> float:
    """Return the seconds left of a task's work, as far as it progresses without a person."""
    if status_of(state, task) in _NO_MORE:
        return 0.0
    if task.exited_at is not None and task.phase is not Phase.BACKOFF:
        return 0.0
    worked = (None if task.phase is Phase.BACKOFF else attempt_seconds(task, now)) or 0.0
    expected = factor * state.spec(task.id).estimate_seconds
    return max(expected - worked, _OVERTIME * worked)


def _gate_seconds(state: RunState) -> float:
    if not state.plan.verify or state.gate_off:
        return 0.0
    return state.gate_seconds or state.plan.pace.gate_seconds or 0.0


def _may_land(state: RunState, task: TaskState) -> bool:
    return not state.spec(task.id).is_read_only and status_of(state, task) not in _NO_MORE
