"""Plans by shorthand and a run that can be driven, for the core's tests."""

import itertools
from typing import Any

from msgspec.structs import replace

from pex_tui.core.events.actions import Action, StartAgent
from pex_tui.core.events.capture_events import WorkCaptured
from pex_tui.core.events.landing_events import BranchMoved, WorkMerged
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentStarted,
    Event,
    RunPlanned,
    WorkspacePrepared,
)
from pex_tui.core.invariants import violations
from pex_tui.core.lifecycle.scheduler import dispatch
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.task_state import FailureKind, TaskState
from pex_tui.core.step import begin, step
from pex_tui.settings.model import Settings

BASE = CommitId("b" * 40)
SHIPPED = Settings().rules()
"""The rules of a run whose user has set nothing."""


def shipped(**changes: Any) -> RunRules:
    """Return the shipped rules with other values."""
    return replace(SHIPPED, **changes)


PLAIN_GATE = shipped(gate_batch=1, gate_retries=0, speculate=False)
"""Entries of the merge queue are tested one at a time, and a failing gate counts at once."""


def task(name: str, *needs: str, **fields: object) -> TaskSpec:
    """Return a task that runs `true` and needs the named ones."""
    spec = TaskSpec(TaskId(name), ("true",), needs=tuple(TaskId(need) for need in needs))
    return replace(spec, **fields)


class World:
    """A run with its journal; `now` is moved by hand."""

    def __init__(self, plan: Plan, rules: RunRules = SHIPPED) -> None:
        self.now = 100.0
        self.planned = RunPlanned(
            RunId("r1"), plan, rules, BASE, "pex/r1", "main", seed=7, at=self.now
        )
        self.state = begin(self.planned)
        self.actions: list[Action] = []
        self.events: list[Event] = [self.planned]
        self._commits = itertools.count(1)
        self.decide()

    def send(self, *events: Event) -> tuple[Action, ...]:
        """Apply events, then let the scheduler decide; return all requested actions."""
        before = len(self.actions)
        for event in events:
            self._apply(event)
        self.decide()
        return tuple(self.actions[before:])

    def decide(self) -> None:
        while decisions := dispatch(self.state):
            for decision in decisions:
                self._apply(decision)

    def task(self, name: str) -> TaskState:
        return self.state.task(TaskId(name))

    def phase(self, name: str) -> Phase:
        return self.task(name).phase

    def started(self) -> set[str]:
        return {action.task for action in self.actions if isinstance(action, StartAgent)}

    def running(self) -> set[str]:
        return {entry.id for entry in self.state.tasks if entry.holds_slot}

    def run(self, name: str) -> None:
        """Start the attempt's process."""
        entry = self.task(name)
        assert entry.slot is not None
        self.send(
            WorkspacePrepared(entry.id, entry.attempt, f"/ws/{name}", self.state.tip or BASE),
            AgentStarted(entry.id, entry.attempt, entry.slot, 4000 + entry.attempt, self.now),
        )

    def exit(self, name: str, code: int = 0, failure: FailureKind | None = None) -> None:
        """End the process."""
        if self.phase(name) is Phase.STARTING:
            self.run(name)
        entry = self.task(name)
        kind = failure or (FailureKind.EXIT if code else None)
        self.send(AgentExited(entry.id, entry.attempt, code, self.now, kind, f"exit {code}"))

    def capture(self, name: str, *files: str, **fields: object) -> None:
        """Put its work under a ref; without files it changed nothing."""
        entry = self.task(name)
        work = self.commit() if files else None
        self.send(WorkCaptured(entry.id, entry.attempt, work, files, **fields))  # type: ignore[arg-type]

    def finish(self, name: str, *files: str) -> None:
        """Run the task successfully, and land what it changed."""
        self.exit(name)
        self.capture(name, *files)
        if files and self.phase(name) is Phase.LANDING:
            self.land(name)

    def merge(self, name: str) -> None:
        entry = self.task(name)
        tip = entry.onto or self.state.tip or BASE
        self.send(WorkMerged(entry.id, entry.attempt, tip, self.commit(), onto=entry.onto))

    def land(self, name: str) -> None:
        self.merge(name)
        entry = self.task(name)
        assert entry.candidate is not None
        self.send(BranchMoved(entry.id, entry.attempt, entry.candidate))

    def commit(self) -> CommitId:
        return CommitId(f"{next(self._commits):040x}")

    def _apply(self, event: Event) -> None:
        stamped = event if event.at else replace(event, at=self.now)
        self.events.append(stamped)
        self.state, actions = step(self.state, stamped)
        self.actions.extend(actions)
        broken = violations(self.state)
        assert not broken, broken
