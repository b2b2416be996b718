"""The cost of an event does not grow with the plan: executed lines are counted, not time."""

import sys
from itertools import chain
from types import FrameType
from typing import Any

from pex_tui.core.consequences import next_deadline
from pex_tui.core.events.capture_events import WorkCaptured
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentStarted,
    Event,
    RunPlanned,
    TaskDispatched,
    WorkspacePrepared,
)
from pex_tui.core.lifecycle.scheduler import dispatch
from pex_tui.core.model.ids import CommitId, RunId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import RunState
from pex_tui.core.outcome import ending
from pex_tui.core.step import begin, step
from tests.core.world import task

BASE = CommitId("b" * 40)
FEW, MANY, DONE = 100, 2_000, 30


def begun(count: int) -> RunState:
    """Return a run of readers, of which every third needs the one before."""
    specs = (
        task(f"t{place}", *([f"t{place - 1}"] if place % 3 == 2 else []), writes=())
        for place in range(count)
    )
    return begin(RunPlanned(RunId("r"), Plan(tuple(specs)), RunRules(), BASE, "pex/r", None, 1))


def answers(decision: TaskDispatched) -> tuple[Event, ...]:
    """Return the world's answers to a dispatched task, until it is done."""
    who = (decision.task, decision.attempt)
    return (
        WorkspacePrepared(*who, "/ws", BASE),
        AgentStarted(*who, decision.slot, 1, 0.0),
        AgentExited(*who, 0, 0.0),
        WorkCaptured(*who, None),
    )


def run(state: RunState, done: int) -> RunState:
    """Let so many tasks run to their end, as an engine does."""
    ended = 0
    while ended < done:
        started = [one for one in dispatch(state) if isinstance(one, TaskDispatched)]
        for event in chain(started, *map(answers, started)):
            state, _ = step(state, event)
            assert not ending(state, state.now, attended=False)
            assert next_deadline(state) is None
        ended += len(started)
    return state


def lines(count: int) -> int:
    """Return the number of executed lines for the same tasks in a plan of this size."""
    state, counted = begun(count), 0

    def trace(_frame: FrameType, kind: str, _value: object) -> Any:
        nonlocal counted
        counted += kind == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        state = run(state, DONE)
    finally:
        sys.settrace(before)
    assert sum(one.phase is Phase.DONE for one in state.tasks) >= DONE
    return counted


def test_an_event_looks_at_no_more_tasks_in_a_large_plan() -> None:
    assert lines(MANY) < 1.2 * lines(FEW)
