"""The state of a run: one immutable value, changed by `step` alone."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.model.conflict import Conflict, Overlap
from pex_tui.core.model.ids import ClaimId, CommitId, RunId, TaskId
from pex_tui.core.model.memory import MemoryState
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.plan import LockRequest, Plan, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import Guard, RunRules
from pex_tui.core.model.semantics import NEWEST
from pex_tui.core.model.standings import DispatchOrder, Standings, dispatch_order
from pex_tui.core.model.task_state import TaskState


class Outcome(StrEnum):
    """The outcome of a run."""

    OK = "ok"
    FAILED = "failed"
    GATE_FAILED = "gate_failed"
    CONFLICTS = "conflicts"  # unresolved ones remain
    ABORTED = "aborted"
    DENIED = "denied"  # an agent was denied a permission that it needed
    INTERRUPTED = "interrupted"
    ROLLED_BACK = "rolled_back"  # some of what had landed was undone since


class LockClaim(Struct, frozen=True):
    """A claim of a process of an attempt: all of its locks or none.

    `within` are the enclosing claims, in whose command the process runs; `until` is the time of its
    timeout. A claim ends with its process, or with its attempt. Times are absolute seconds.
    """

    claim: ClaimId
    task: TaskId
    attempt: int
    locks: tuple[LockRequest, ...]
    within: tuple[ClaimId, ...]
    asked_at: float
    until: float | None = None
    granted_at: float | None = None
    absent_since: float | None = None  # its process has not reconnected to a new engine yet
    is_overdue: bool = False

    @property
    def is_waiting(self) -> bool:
        """Return whether the claim is waiting."""
        return self.granted_at is None


class ProviderLimit(Struct, frozen=True):
    """A provider that refuses requests until a time (absolute seconds); `hits` counts refusals."""

    provider: str
    until: float
    hits: int


class Gap(Struct, frozen=True):
    """The time between two engines, in absolute seconds; an attempt was alive until `seen`."""

    begin: float
    end: float
    seen: float
    for_person: bool  # the run waited for a person when the gap began


class LandStatus(StrEnum):
    """The status of landing the whole run on the branch that it started from."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"
    RUNNING = "running"
    LANDED = "landed"
    REFUSED = "refused"


class RunState(Struct, frozen=True):
    """A whole run. `tasks` and `graph` are in plan order; `seq` counts the events applied."""

    run: RunId
    plan: Plan  # widened by observed writes; `planned` is the plan as approved
    planned: Plan
    rules: RunRules
    graph: PlanGraph
    base: CommitId
    branch: str  # the integration branch, "pex/<run>"
    target: str | None  # the branch checked out at the start; None for a detached HEAD
    created_at: float
    seed: int
    capacity: int
    tasks: tuple[TaskState, ...]
    capacity_before_boost: int | None = None
    stage: RunStage = RunStage.RUNNING
    landing: tuple[TaskId, ...] = ()  # the merge queue; its first entries are in flight
    conflicts: tuple[Conflict, ...] = ()
    tip: CommitId | None = None  # the integration tip as last seen, at first the base
    semantics: int = NEWEST  # the version of `step` that applies
    killed: bool = False  # while draining: do not wait for the merge queue
    caught: frozenset[frozenset[TaskId]] = frozenset()  # pairs excluded because of observed writes
    overlaps: tuple[Overlap, ...] = ()  # of tasks at work, as the overlap watcher reports them
    claims: tuple[LockClaim, ...] = ()  # of locks taken at work, in order of arrival
    sequential: bool = False  # writers run one at a time
    sequential_since: float | None = None
    sequential_reason: str = ""  # the reason for this, for a person
    limits: tuple[ProviderLimit, ...] = ()
    memory: MemoryState | None = None  # None until it is measured: then nothing waits for it
    budgets: int = 1  # multiples of the configured budget that may be used
    allowed: tuple[str, ...] = ()  # scopes that a person allowed for the rest of the run
    gate_seconds: float | None = None  # duration of the last gate
    gate_off: bool = False  # the base was red and the policy turned the gate off
    base_gate_red: bool | None = None
    flaky: tuple[TaskId, ...] = ()  # tasks with a flaky gate failure
    rolling_back: str = ""  # the undo log's entry of a rollback that has begun and not ended
    land_status: LandStatus = LandStatus.NOT_ASKED
    land_detail: str = ""
    land_refusals: int = 0  # consecutive refusals of git to update the user's branch
    land_retry_at: float | None = None
    paused_at: float | None = None
    paused_seconds: float = 0.0
    person_since: float | None = None  # since when only a person can let the run continue
    person_seconds: float = 0.0  # total of such time before
    idle_seconds: float = 0.0  # after the end, or between engines with no attempt alive
    gaps: tuple[Gap, ...] = ()  # the times between engines
    finished_at: float | None = None
    outcome: Outcome | None = None
    exit_code: int | None = None
    sandbox: str = ""  # the tier that confines tasks, "none", or empty in older recordings
    guards: tuple[Guard, ...] = ()  # the settings that limit tasks, none in older recordings
    notices: tuple[str, ...] = ()  # messages to the user, oldest first
    now: float = 0.0  # the time of the last event
    seq: int = 0
    kept: Standings | None = None  # of these tasks, as far as a draft has maintained them

    def task(self, task_id: TaskId) -> TaskState:
        """Return the state of a task."""
        return self.tasks[self.graph.index[task_id]]

    def spec(self, task_id: TaskId) -> TaskSpec:
        """Return the specification of a task."""
        return self.plan.tasks[self.graph.index[task_id]]

    @property
    def standings(self) -> Standings:
        """Return the indices of tasks by status."""
        kept = self.kept
        if kept is not None and kept.tasks is self.tasks and kept.graph is self.graph:
            return kept
        return Standings.build(self.plan, self.tasks, self.graph)

    def dispatch_order(self, position: int) -> DispatchOrder:
        """Return the sort key of the order in which ready tasks start."""
        return dispatch_order(self.plan, self.tasks, self.graph, position)

    def live(self) -> list[tuple[int, TaskState]]:
        """Return positions and states of tasks that are past their start and have not ended."""
        return [(position, self.tasks[position]) for position in self.standings.live]

    def overlaps_of(self, task_id: TaskId) -> tuple[Overlap, ...]:
        """Return the current overlaps of a task at work."""
        return tuple(overlap for overlap in self.overlaps if task_id in overlap.tasks)

    @property
    def has_landed(self) -> bool:
        """Return whether the run's branch holds the work of any task."""
        return any(task.landed for task in self.tasks)

    @property
    def open_conflicts(self) -> tuple[Conflict, ...]:
        """Return conflicts that wait for a decision, oldest first."""
        return tuple(c for c in self.conflicts if c.is_open)
