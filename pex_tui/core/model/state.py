"""The state of a run: one immutable value, changed by `step` alone."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.model.conflict import Conflict, Overlap
from pex_tui.core.model.ids import ClaimId, CommitId, RunId, TaskId
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.plan import LockRequest, Plan, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.semantics import NEWEST
from pex_tui.core.model.standings import Order, Standings, dispatch_order
from pex_tui.core.model.task_state import TaskState


class Outcome(StrEnum):
    """How a run ended."""

    OK = "ok"
    FAILED = "failed"
    GATE_FAILED = "gate_failed"
    CONFLICTS = "conflicts"  # unresolved ones are left
    ABORTED = "aborted"
    DENIED = "denied"  # an agent was denied a permission that it needed
    INTERRUPTED = "interrupted"


class LockClaim(Struct, frozen=True):
    """What a process of an attempt wants or holds: all of the locks or none.

    `within` are the claims whose command it runs in, `until` when it gives up; both it and the
    attempt's claims end with the attempt. Times are absolute seconds.
    """

    claim: ClaimId
    task: TaskId
    attempt: int
    locks: tuple[LockRequest, ...]
    within: tuple[ClaimId, ...]
    asked_at: float
    until: float | None = None
    granted_at: float | None = None
    absent_since: float | None = None  # an engine ended, and its process has not come back yet
    is_overdue: bool = False

    @property
    def is_waiting(self) -> bool:
        """Return whether it was not granted yet."""
        return self.granted_at is None


class ProviderLimit(Struct, frozen=True):
    """A provider of models that refuses until then (absolute seconds), the `hits`-th time."""

    provider: str
    until: float
    hits: int


class Gap(Struct, frozen=True):
    """Time between two engines, in absolute seconds; up to `seen` an attempt was alive in it."""

    begin: float
    end: float
    seen: float
    for_person: bool  # the run waited for a person when it began


class LandStatus(StrEnum):
    """Where the whole run stands on its way to the branch it started from."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"
    RUNNING = "running"
    LANDED = "landed"
    REFUSED = "refused"


class RunState(Struct, frozen=True):
    """A whole run. `tasks` and `graph` are in plan order; `seq` counts the events applied."""

    run: RunId
    plan: Plan  # with what has been seen since; `planned` is the plan as it was approved
    planned: Plan
    rules: RunRules
    graph: PlanGraph
    base: CommitId
    branch: str  # the integration branch, "pex/<run>"
    target: str | None  # the branch that was checked out at the start; None if detached
    created_at: float
    seed: int
    capacity: int
    tasks: tuple[TaskState, ...]
    capacity_before_boost: int | None = None
    stage: RunStage = RunStage.RUNNING
    landing: tuple[TaskId, ...] = ()  # the merge queue; its first ones are in flight
    conflicts: tuple[Conflict, ...] = ()
    tip: CommitId | None = None  # the integration tip as last seen; the base at first
    semantics: int = NEWEST  # what steps mean in this run
    killed: bool = False  # draining without waiting for the merge queue
    caught: frozenset[frozenset[TaskId]] = frozenset()  # pairs found to exclude each other at work
    overlaps: tuple[Overlap, ...] = ()  # of tasks at work, as the radar sees them
    claims: tuple[LockClaim, ...] = ()  # of locks that agents take at work, in order of asking
    sequential: bool = False  # writers go one at a time from now on
    sequential_since: float | None = None
    sequential_reason: str = ""  # what made it so, for a person
    limits: tuple[ProviderLimit, ...] = ()
    budgets: int = 1  # how many times the configured budget may be used
    allowed: tuple[str, ...] = ()  # scopes that a person allowed for the rest of the run
    gate_seconds: float | None = None  # how long it took last
    gate_off: bool = False  # the base was red and the policy says so
    base_gate_red: bool | None = None
    flaky: tuple[TaskId, ...] = ()  # tasks on which the gate failed by chance
    land_status: LandStatus = LandStatus.NOT_ASKED
    land_detail: str = ""
    land_refusals: int = 0  # times in a row that git refused to bring the run to the user's branch
    land_retry_at: float | None = None
    paused_at: float | None = None
    paused_seconds: float = 0.0
    person_since: float | None = None  # since when nothing goes on before a person decides
    person_seconds: float = 0.0  # how long it was so before
    idle_seconds: float = 0.0  # after an end, or between engines with no attempt alive
    gaps: tuple[Gap, ...] = ()  # the times between engines
    finished_at: float | None = None
    outcome: Outcome | None = None
    exit_code: int | None = None
    notices: tuple[str, ...] = ()  # what the user should have been told, oldest first
    now: float = 0.0  # the time of the last event
    seq: int = 0
    kept: Standings | None = None  # of these tasks, as far as a draft has kept them

    def task(self, task_id: TaskId) -> TaskState:
        """Return the state of a task of this plan."""
        return self.tasks[self.graph.index[task_id]]

    def spec(self, task_id: TaskId) -> TaskSpec:
        """Return the specification of a task of this plan."""
        return self.plan.tasks[self.graph.index[task_id]]

    @property
    def standings(self) -> Standings:
        """Who stands where."""
        kept = self.kept
        if kept is not None and kept.tasks is self.tasks and kept.graph is self.graph:
            return kept
        return Standings.build(self.plan, self.tasks, self.graph)

    def dispatch_order(self, position: int) -> Order:
        """What ready tasks are started in the order of; smaller goes first."""
        return dispatch_order(self.plan, self.tasks, self.graph, position)

    def live(self) -> list[tuple[int, TaskState]]:
        """Positions and states of tasks that wait for no need and no start, and have not ended."""
        return [(position, self.tasks[position]) for position in self.standings.live]

    def overlaps_of(self, task_id: TaskId) -> tuple[Overlap, ...]:
        """What the task at work collides with right now."""
        return tuple(overlap for overlap in self.overlaps if task_id in overlap.tasks)

    @property
    def open_conflicts(self) -> tuple[Conflict, ...]:
        """Conflicts that wait for a decision, oldest first."""
        return tuple(c for c in self.conflicts if c.is_open)
