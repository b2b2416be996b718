"""Simulation of the rest of a run by its own rules, with estimated durations.

`step` and `dispatch` are the real ones; agents, git and the gate are replaced by a clock:
everything succeeds and takes its estimate.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.adoption import unfinished_actions
from pex_tui.core.consequences import next_deadline
from pex_tui.core.events.actions import (
    Action,
    CaptureWork,
    MergeWork,
    MoveBranch,
    RunGate,
    StartAgent,
    StopAgent,
)
from pex_tui.core.events.capture_events import WorkCaptured
from pex_tui.core.events.landing_events import BranchMoved, GateFinished, WorkMerged
from pex_tui.core.events.run_events import AgentExited, Event, TaskDispatched, TimePassed
from pex_tui.core.lifecycle.scheduler import dispatch
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, Phase
from pex_tui.core.model.plan import Pace
from pex_tui.core.model.state import RunState
from pex_tui.core.step import step

_STEPS_A_TASK = 60  # more than any task takes; a cycle ends here


class Course(Struct, frozen=True):
    """Start and end times of tasks by position, and the end of the run; absolute seconds.

    A task that started before the simulation, or never starts, has no start.
    """

    starts: tuple[float | None, ...]
    finishes: tuple[float | None, ...]
    end: float


def simulate(state: RunState, seconds: Sequence[float], pace: Pace) -> Course:
    """Simulate the run from its state on; `seconds` are what is left of each task's work."""
    clockwork = _Clockwork(state, seconds, pace)
    clockwork.run()
    return Course(tuple(clockwork.starts), tuple(clockwork.finishes), clockwork.state.now)


class _Clockwork:
    """Applies decisions and events in time order."""

    def __init__(self, state: RunState, seconds: Sequence[float], pace: Pace) -> None:
        self.state = state
        self._seconds = seconds
        self._pace = pace
        self._due: list[tuple[float, int, Event]] = []
        self._made = 0
        self.starts: list[float | None] = [None] * len(seconds)
        self.finishes: list[float | None] = [None] * len(seconds)
        self._has_deadlines = any(spec.locks for spec in state.plan.tasks) or any(
            task.phase is Phase.BACKOFF or task.wait is not None for task in state.tasks
        )
        for position, task in enumerate(state.tasks):
            if task.phase in HOLDS_SLOT:
                self._exits(task.id, task.attempt, state.now + seconds[position])
        for action in unfinished_actions(state):
            self._answer(action)

    def run(self) -> None:
        """Run until nothing is left that happens without a person."""
        for _ in range(_STEPS_A_TASK * max(1, len(self.state.tasks))):
            self._dispatch()
            deadline = next_deadline(self.state) if self._has_deadlines else None
            if self._due and (deadline is None or self._due[0][0] <= deadline):
                at = self._due[0][0]
                while self._due and self._due[0][0] <= at:
                    self._apply(heappop(self._due)[2])
            elif deadline is not None:
                self._apply(TimePassed(at=deadline))
            else:
                return

    def _dispatch(self) -> None:
        """Apply the dispatcher's decisions; it is not called while all slots are busy."""
        busy = sum(task.phase in HOLDS_SLOT for _, task in self.state.live())
        if busy < self.state.capacity and self.state.standings.ready:
            for decision in dispatch(self.state):
                self._apply(replace(decision, at=self.state.now))

    def _apply(self, event: Event) -> None:
        if isinstance(event, TaskDispatched):
            self.starts[self.state.graph.index[event.task]] = event.at
        self.state, actions = step(self.state, event)
        for action in actions:
            self._answer(action)

    def _answer(self, action: Action) -> None:
        """Schedule the events that answer an action."""
        now, pace = self.state.now, self._pace
        match action:
            case StartAgent():
                work = self._seconds[self.state.graph.index[action.task]]
                self._exits(action.task, action.attempt, now + pace.start_seconds + work)
            case StopAgent():
                self._exits(action.task, action.attempt, now)
            case CaptureWork():
                spec = self.state.spec(action.task)
                work_commit = None if spec.is_read_only else self._commit()
                files = () if spec.is_read_only else (f"{action.task}",)
                captured = WorkCaptured(
                    action.task, action.attempt, work_commit, files, at=now + pace.capture_seconds
                )
                self._push(captured)
            case MergeWork():
                tip = action.onto or self.state.tip or self.state.base
                merged = WorkMerged(
                    action.task,
                    action.attempt,
                    tip,
                    self._commit(),
                    onto=action.onto,
                    at=now + pace.land_seconds / 2,
                )
                self._push(merged)
            case RunGate():
                took = pace.gate_seconds or 0.0
                self._push(
                    GateFinished(
                        action.task, action.attempt, action.commit, True, took, at=now + took
                    )
                )
            case MoveBranch():
                at = now + pace.land_seconds / 2
                self._push(BranchMoved(action.task, action.attempt, action.new, at=at))
            case _:
                pass

    def _exits(self, task: TaskId, attempt: int, at: float) -> None:
        self.finishes[self.state.graph.index[task]] = at
        self._push(AgentExited(task, attempt, 0, at, at=at))

    def _push(self, event: Event) -> None:
        self._made += 1
        heappush(self._due, (event.at, self._made, event))

    def _commit(self) -> CommitId:
        return CommitId(f"{self._made:040x}")
