"""The interface between a host (the app, the headless command) and runs and repositories."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from pex_tui.core.model.sandbox import sandbox_words

if TYPE_CHECKING:
    from pex_tui.core.events.run_events import Event
    from pex_tui.core.model.conflict import Decision
    from pex_tui.core.model.ids import RunId, TaskId
    from pex_tui.core.model.plan import Plan
    from pex_tui.core.model.plan_graph import PlanGraph
    from pex_tui.core.model.run_rules import RunRules
    from pex_tui.core.model.state import Outcome, RunState
    from pex_tui.core.undo_values import UndoOffer
    from pex_tui.engine.conflict_sides import ConflictSides
    from pex_tui.engine.ports import GateResult, SlotPool


class Usage(Struct, frozen=True):
    """Current usage of the agents: CPU as a fraction of the whole machine, memory in bytes.

    `by_task` holds (CPU fraction, resident bytes) of each live task.
    """

    cpu: float = 0.0
    memory_bytes: int = 0
    by_task: tuple[tuple[TaskId, float, int], ...] = ()


def _tell_nobody(_: str) -> None:
    pass


class Planning(Struct, frozen=True):
    """A goal that is being planned: `tell` is called on the loop with the model's activity.

    Once `skip` is set, a planner with a model is ended and the plan is made by rules.
    """

    tell: Callable[[str], None] = _tell_nobody
    skip: asyncio.Event = field(default_factory=asyncio.Event)


class RunSession(Protocol):
    """One run, driven by this process or by another one."""

    @property
    def state(self) -> RunState:
        """Return the newest state."""
        ...

    @property
    def is_own(self) -> bool:
        """Return whether this process drives the run, and so decides about it on exit."""
        ...

    @property
    def is_driven(self) -> bool:
        """Return whether `serve` is running; nobody drives an ended run until it is resumed."""
        ...

    async def ask(self, event: Event) -> None:
        """Send the engine a person's request; it is stamped and journaled there.

        Raises UserError when the process that drives the run does not accept it.
        """
        ...

    def subscribe(self, listener: Callable[[RunState], None]) -> Callable[[], None]:
        """Call the listener on the loop with each new state; calling the result ends that."""
        ...

    async def serve(self, pool: SlotPool) -> None:
        """Drive the run until it has finished or was released."""
        ...

    async def let_go(self) -> None:
        """Stop driving; agents run on, and another engine can take over."""
        ...

    def output(self, task: TaskId, attempt: int) -> Path:
        """Return the log of an attempt; the file may not exist yet."""
        ...

    async def diff(self, task: TaskId) -> str:
        """Return the task's changes so far as a unified diff; empty without any."""
        ...

    async def sides(self, task: TaskId) -> tuple[ConflictSides, ...]:
        """Return the paths of the task's open conflict."""
        ...

    async def resolve(
        self, task: TaskId, decision: Decision, contents: dict[str, bytes | None]
    ) -> None:
        """Resolve the task's open conflict (see `Lander.resolve`) and put it back in the queue.

        RERUN ignores the contents. Raises LandingError.
        """
        ...

    async def check(self, task: TaskId, contents: dict[str, bytes | None]) -> GateResult:
        """Run the gate on a possible resolution of the task's conflict; raise LandingError."""
        ...

    async def usage(self) -> Usage:
        """Return the agents' resource usage, measured since the last call."""
        ...


class CheckLevel(StrEnum):
    """The severity of a finding about this machine."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class DoctorCheck(Struct, frozen=True):
    """A finding about this machine or repository, with its remedy, which may have several lines."""

    level: CheckLevel
    name: str
    found: str
    remedy: str = ""


class RunFigures(Struct, frozen=True):
    """Figures of a run that has ended; None is unknown.

    They are the makespan without the time it stood still, the speed-up over one task at a time, the
    share of landings that had a conflict, and the cost.
    """

    makespan_seconds: float | None = None
    speedup: float | None = None
    conflicts: int | None = None
    cost_usd: float | None = None


class RunSummary(Struct, frozen=True):
    """A past or live run in one line. `outcome` is None while the run is not finished."""

    run: RunId
    goal: str
    created_at: float
    outcome: Outcome | None
    landed: int
    tasks: int
    seconds: float
    open_conflicts: int = 0
    is_live: bool = False  # an engine drives it
    is_lost: bool = False  # its journal is gone; the goal is read from its refs
    figures: RunFigures | None = None

    @property
    def worked_seconds(self) -> float:
        """Return the makespan without the time it stood still, where known."""
        known = self.figures.makespan_seconds if self.figures else None
        return self.seconds if known is None else known


class PlanDraft(Struct, frozen=True):
    """A parsed plan, ready for review. `name` is the file's name or the goal.

    `reasons` explain a plan that was made from a goal, a line each. `sandbox` is the tier that will
    confine its tasks, or "none".
    """

    name: str
    plan: Plan
    graph: PlanGraph
    rules: RunRules
    notices: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    sandbox: str = ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return all that a person should know besides the plan's own warnings, in paragraphs."""
        why = "".join(f"\n  {reason}" for reason in self.reasons)
        return (
            *(f"! {notice}" for notice in self.notices),
            *((f"Why this plan{why}",) if why else ()),
            *((f"Tasks will run {sandbox_words(self.sandbox)}.",) if self.sandbox else ()),
        )


class ProjectService(Protocol):
    """Operations of the app on a repository. Errors are UserError, for a person."""

    @property
    def repository(self) -> str:
        """Return the repository's name and checkout, e.g. "shop · main@9f2c1ab, clean"."""
        ...

    async def checks(self) -> tuple[DoctorCheck, ...]:
        """Return the findings about this machine and repository."""
        ...

    async def runs(self) -> tuple[RunSummary, ...]:
        """Return the runs of this repository, newest first."""
        ...

    async def report(self, run: RunId) -> str:
        """Return a run's report as text, for a person."""
        ...

    async def compare(self, first: RunId, second: RunId) -> str:
        """Return a comparison of two runs, as text."""
        ...

    async def export(self, run: RunId, path: Path) -> None:
        """Write a run's report to a file, in the format of its suffix."""
        ...

    async def undo_offer(self, run: RunId) -> UndoOffer:
        """Return what can be undone of a run: its landings, or the rollback of them."""
        ...

    async def undo(self, offer: UndoOffer) -> str:
        """Do what was offered; return what was done, for a person."""
        ...

    async def plan_of(self, run: RunId) -> PlanDraft:
        """Return the plan of a past run, resolved against the repository as it is now."""
        ...

    async def open_plan(self, path: Path) -> PlanDraft:
        """Parse and check a plan file."""
        ...

    async def plan_goal(self, goal: str, planning: Planning) -> PlanDraft:
        """Return the plan for a goal, with the reasons for it."""
        ...

    async def discard(self, draft: PlanDraft) -> None:
        """Keep a changed plan that a person discards, to be recovered."""
        ...

    async def revise(self, draft: PlanDraft, text: str) -> PlanDraft:
        """Return the draft with the edited plan text, checked like a file; raise PlanError."""
        ...

    async def keep(self, draft: PlanDraft) -> Path:
        """Write an unsaved plan into the state folder; return the file."""
        ...

    @property
    def merge_tool(self) -> str:
        """Return the configured merge program for a file in conflict; empty without one."""
        ...

    async def merge(self, sides: ConflictSides) -> bytes:
        """Return the file as merged by that program."""
        ...

    async def start(self, draft: PlanDraft) -> RunSession:
        """Begin a run; it is driven once `serve` is called."""
        ...

    async def resume(self, run: RunId, *, continues: bool = True) -> RunSession:
        """Take over a run that no engine drives, or one with open conflicts.

        With `continues`, tasks start again that a person aborted with the whole run.
        """
        ...

    async def attach(self, run: RunId) -> RunSession:
        """Watch a run that another process drives, and send that process requests."""
        ...

    async def until_driven(self, run: RunId) -> None:
        """Return once another process drives the run."""
        ...

    async def hand_over(self, run: RunId) -> None:
        """Start a process without a screen that drives the run just released."""
        ...
