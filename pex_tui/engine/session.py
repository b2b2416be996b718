"""What a host (the app, the headless command) sees of a run and of the repository around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

if TYPE_CHECKING:
    from pex_tui.core.events.run_events import Event
    from pex_tui.core.model.conflict import Decision
    from pex_tui.core.model.ids import RunId, TaskId
    from pex_tui.core.model.plan import Plan
    from pex_tui.core.model.plan_graph import PlanGraph
    from pex_tui.core.model.run_rules import RunRules
    from pex_tui.core.model.state import Outcome, RunState
    from pex_tui.engine.conflict_sides import ConflictSides
    from pex_tui.engine.ports import GateResult, SlotPool


class Usage(Struct, frozen=True):
    """What the agents use now: CPU as a fraction of the whole machine, memory in bytes.

    `by_task` holds (CPU fraction, resident bytes) of each live task.
    """

    cpu: float = 0.0
    memory_bytes: int = 0
    by_task: tuple[tuple[TaskId, float, int], ...] = ()


def _tell_nobody(_: str) -> None:
    pass


class Planning(Struct, frozen=True):
    """A goal that is being planned: `tell` hears what a planner with a model does, on the loop.

    Once `skip` is set, such a planner is ended and the plan is made by rules.
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
        """Whether this process drives the run; it then decides what becomes of it on leaving."""
        ...

    @property
    def is_driven(self) -> bool:
        """Whether `serve` is at work; an ended run is driven by nobody until it is resumed."""
        ...

    async def ask(self, event: Event) -> None:
        """Hand the engine a person's request; it is stamped and journaled there.

        Raises UserError when the process that drives the run does not take it.
        """
        ...

    def subscribe(self, listener: Callable[[RunState], None]) -> Callable[[], None]:
        """Call the listener on the loop with each new state; the result ends that."""
        ...

    async def serve(self, pool: SlotPool) -> None:
        """Drive the run until it has finished or was let go."""
        ...

    async def let_go(self) -> None:
        """Stop driving; agents run on, and another engine can take over."""
        ...

    def output(self, task: TaskId, attempt: int) -> Path:
        """Return the log of an attempt; the file may not exist yet."""
        ...

    async def diff(self, task: TaskId) -> str:
        """What the task has changed so far, as a unified diff; empty when nothing."""
        ...

    async def sides(self, task: TaskId) -> tuple[ConflictSides, ...]:
        """Return the paths of the task's open conflict."""
        ...

    async def settle(
        self, task: TaskId, decision: Decision, contents: dict[str, bytes | None]
    ) -> None:
        """Settle the task's open conflict (see `Lander.settle`) and put it back in the queue.

        RERUN ignores the contents. Raises LandingError.
        """
        ...

    async def check(self, task: TaskId, contents: dict[str, bytes | None]) -> GateResult:
        """Run the gate on what would settle the task's conflict; raise LandingError."""
        ...

    async def usage(self) -> Usage:
        """What the agents use, measured since the last call."""
        ...


class CheckLevel(StrEnum):
    """How much a finding about this machine matters."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class DoctorCheck(Struct, frozen=True):
    """One finding about this machine or repository, and what to do about it."""

    level: CheckLevel
    name: str
    found: str
    remedy: str = ""


class RunFigures(Struct, frozen=True):
    """What a run that has ended came to; None is unknown.

    The makespan without the time in which it stood still, the speed-up against one task at a time,
    landings that met a conflict, cost.
    """

    makespan_seconds: float | None = None
    speedup: float | None = None
    conflicts: int | None = None
    cost_usd: float | None = None


class RunSummary(Struct, frozen=True):
    """A past or live run in one line. `outcome` is None while it is not finished."""

    run: RunId
    goal: str
    created_at: float
    outcome: Outcome | None
    landed: int
    tasks: int
    seconds: float
    open_conflicts: int = 0
    is_live: bool = False  # an engine drives it right now
    is_lost: bool = False  # its journal is gone; the goal says what its refs tell
    figures: RunFigures | None = None

    @property
    def worked_seconds(self) -> float:
        """Its time without the time in which it stood still as a whole, where that is known."""
        known = self.figures.makespan_seconds if self.figures else None
        return self.seconds if known is None else known


class PlanDraft(Struct, frozen=True):
    """A parsed plan, ready for review. `name` is the file's name or the goal.

    `reasons` say why a plan that was made from a goal is as it is, a line each.
    """

    name: str
    plan: Plan
    graph: PlanGraph
    rules: RunRules
    notices: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class ProjectService(Protocol):
    """What the app can do in this repository. Errors are UserError, for a person."""

    @property
    def repository(self) -> str:
        """The repository's name and what is checked out, e.g. "shop · main@9f2c1ab, clean"."""
        ...

    async def checks(self) -> tuple[DoctorCheck, ...]:
        """What this machine and repository offer and lack."""
        ...

    async def runs(self) -> tuple[RunSummary, ...]:
        """Runs of this repository, newest first."""
        ...

    async def report(self, run: RunId) -> str:
        """Return a run's report as text, for a person."""
        ...

    async def compare(self, first: RunId, second: RunId) -> str:
        """Two runs side by side, as text."""
        ...

    async def export(self, run: RunId, path: Path) -> None:
        """Write a run's report to a file, in the format that its name asks for."""
        ...

    async def plan_of(self, run: RunId) -> PlanDraft:
        """Return the plan of a past run, to be run again as the repository is now."""
        ...

    async def open_plan(self, path: Path) -> PlanDraft:
        """Parse and check a plan file."""
        ...

    async def plan_goal(self, goal: str, planning: Planning) -> PlanDraft:
        """Return the plan for a goal, with the reasons for it."""
        ...

    async def revise(self, draft: PlanDraft, text: str) -> PlanDraft:
        """Return the draft with the plan of another text, checked as a file is; raise PlanError."""
        ...

    async def keep(self, draft: PlanDraft) -> Path:
        """Write a plan that nobody saved into the state folder; return the file."""
        ...

    @property
    def merge_tool(self) -> str:
        """Return the program that may merge a file in conflict; empty when none is configured."""
        ...

    async def merge(self, sides: ConflictSides) -> bytes:
        """Return the file as that program merges it."""
        ...

    async def start(self, draft: PlanDraft) -> RunSession:
        """Begin a run; it is driven once `serve` is called."""
        ...

    async def resume(self, run: RunId) -> RunSession:
        """Take up a run that no engine drives, or one whose conflicts are open."""
        ...

    async def attach(self, run: RunId) -> RunSession:
        """Watch a run that another process drives, and ask that process for things."""
        ...

    async def until_driven(self, run: RunId) -> None:
        """Return once a process other than this one drives the run."""
        ...

    async def hand_over(self, run: RunId) -> None:
        """Have a process without a screen drive the run that was just let go."""
        ...
