"""The front of the merge queue: entries merged one onto the other and tested together.

The tasks in `landing` are the first ones of the queue, each merged onto the candidate of the one
before, the first onto the branch. A verdict on a candidate covers all entries that it contains: if
green, all of them may land; if red, the entries behind it step back, and the batch is bisected
until one entry is found that turns a green candidate red. Meanwhile, if a slot is free, the next
entries are merged and tested speculatively.
"""

from pex_tui.core.events.actions import MoveBranch, RunGate
from pex_tui.core.events.landing_events import GateFinished
from pex_tui.core.landing.auto_resolution import merge_work
from pex_tui.core.landing.gate_verdicts import examine_failure, gate_failure, is_gated
from pex_tui.core.lifecycle.merge_queue import landing_tasks, step_back
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.phases import LandingStage, Phase
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState

_UNDER_TEST = frozenset({LandingStage.MERGED, LandingStage.GATING})
_EXAMINED = frozenset({LandingStage.GATING_AGAIN, LandingStage.GATING_BASE})


def advance_queue(draft: Draft) -> None:
    """Advance the queue: land what has passed, merge what comes next, test what is merged."""
    if not draft.state.landing:
        return
    _move_head(draft)
    _merge_next(draft)
    _test_next(draft)
    _merge_next(draft)  # for the speculative test


def apply_gate_verdict(draft: Draft, task: TaskState, event: GateFinished) -> None:
    """Apply the verdict on a candidate to all entries that it contains."""
    if event.commit != task.candidate:
        return
    if not event.passed:
        draft.change(task.id, landing_stage=LandingStage.MERGED, failure=gate_failure(event))
        step_back(draft, task.id)
        return
    for entry in landing_tasks(draft.state):
        if entry.landing_stage in _UNDER_TEST:
            draft.change(entry.id, landing_stage=LandingStage.PASSED, failure=None)
        if entry.id == task.id:
            return


def _move_head(draft: Draft) -> None:
    head = draft.task(draft.state.landing[0])
    if head.landing_stage is not LandingStage.PASSED:
        return
    if head.tip is None or head.candidate is None:
        raise AssertionError(f"task {head.id} is to land without a merge")
    draft.change(head.id, landing_stage=LandingStage.MOVING)
    draft.act(MoveBranch(head.id, head.attempt, head.tip, head.candidate))


def _merge_next(draft: Draft) -> None:
    state = draft.state
    entries = landing_tasks(state)
    waiting = state.landing[len(entries) :]
    following = [name for name in waiting if state.task(name).retry_at is None]
    if not following or any(one.landing_stage is LandingStage.MERGING for one in entries):
        return
    onto = entries[-1].candidate if entries else None
    task = state.task(following[0])
    if entries and (task.conflicts_with == onto or not _has_room(state, entries)):
        return
    if task.work is None:
        raise AssertionError(f"task {task.id} is in the merge queue without work")
    rest = (name for name in waiting if name != task.id)
    draft.set(landing=(*state.landing[: len(entries)], task.id, *rest))
    taken = draft.move(
        task.id, Phase.LANDING, landing_stage=LandingStage.MERGING, onto=onto, auto_resolution=None
    )
    draft.act(merge_work(draft.state, taken, task.work))


def _has_room(state: RunState, entries: tuple[TaskState, ...]) -> bool:
    """Return whether another entry may be tested together with those at the end of the batch."""
    if not is_gated(state):
        return False
    fresh = 0
    for entry in reversed(entries):
        stage = entry.landing_stage
        if entry.failure is not None or stage in _EXAMINED:
            return False
        if stage is LandingStage.GATING:
            return fresh < state.rules.gate_batch and _may_speculate(state)
        fresh += stage is LandingStage.MERGED
    return fresh < state.rules.gate_batch


def _test_next(draft: Draft) -> None:
    state = draft.state
    entries = [task for task in landing_tasks(state) if task.landing_stage in _UNDER_TEST]
    stages = [task.landing_stage for task in landing_tasks(state)]
    if not entries or LandingStage.MERGING in stages or not _EXAMINED.isdisjoint(stages):
        return
    running = stages.count(LandingStage.GATING)
    *before, last = entries
    if last.failure is None:
        if last.landing_stage is LandingStage.MERGED and (not running or _may_speculate(state)):
            _test(draft, last)
    elif not before:
        examine_failure(draft, last)
    elif not running:
        _test(draft, before[(len(before) - 1) // 2])


def _test(draft: Draft, task: TaskState) -> None:
    if task.candidate is None:
        raise AssertionError(f"task {task.id} is to be tested without a merge")
    draft.change(task.id, landing_stage=LandingStage.GATING)
    draft.act(RunGate(task.id, task.attempt, task.candidate))


def _may_speculate(state: RunState) -> bool:
    """Return whether a second gate may run: one runs, another is due, and no agent would wait."""
    stages = [task.landing_stage for task in landing_tasks(state)]
    busy = sum(task.holds_slot for _, task in state.live()) + len(state.standings.ready)
    return (
        state.rules.speculate and stages.count(LandingStage.GATING) == 1 and busy < state.capacity
    )
