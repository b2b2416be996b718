"""Events of runs and attempts, in the past tense: journal rows and JSON Lines objects.

Every event carries `at`, absolute seconds stamped by the engine. Requests by people carry `by`.
Facts about an attempt carry its number, so that late news of an earlier attempt is recognised.
"""

from pex_tui.core.events.agent_events import BudgetExtended, TalkEvent
from pex_tui.core.events.capture_events import CaptureEvent
from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.events.landing_events import LandingEvent
from pex_tui.core.events.lock_events import LockEvent
from pex_tui.core.events.memory_events import MemoryEvent, MemoryMeasured
from pex_tui.core.events.overlap_events import OverlapEvent, WritesSeen
from pex_tui.core.events.rollback_events import RollbackEvent
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import CommitId, RunId, SlotId, TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import Guard, RunRules
from pex_tui.core.model.semantics import NEWEST
from pex_tui.core.model.state import Outcome
from pex_tui.core.model.task_state import FailureKind, WaitCause


class RunPlanned(BaseEvent, frozen=True):
    """The first event, with all that a replay needs; `semantics` is the version of its meaning.

    `sandbox` is the tier that confines tasks, "none", or empty in older recordings. `guards` are
    the settings that limit tasks, by name, with their values; none in older recordings.
    """

    run: RunId
    plan: Plan
    rules: RunRules
    base: CommitId
    branch: str
    target: str | None
    seed: int
    notices: tuple[str, ...] = ()
    semantics: int = NEWEST
    sandbox: str = ""
    guards: tuple[Guard, ...] = ()


class RunAdopted(BaseEvent, frozen=True):
    """Another engine took over the run.

    `retry_failed` reopens failed tasks, `retry_aborted` tasks that a rule of the run aborted,
    `retry_run_abort` those that a person aborted with the whole run (those that a person aborted
    one by one stay aborted); `keep_pauses` leaves frozen what a person froze. `sandbox` confines
    tasks from now on, and `guards` limit them, as in `RunPlanned`.
    """

    pid: int
    by: str
    retry_failed: bool = False
    keep_pauses: bool = False
    retry_aborted: bool = False
    sandbox: str = ""
    retry_run_abort: bool = False
    guards: tuple[Guard, ...] = ()


class RunPauseRequested(BaseEvent, frozen=True):
    """Pause all tasks at work."""

    by: str


class RunResumeRequested(BaseEvent, frozen=True):
    """Resume all paused tasks."""

    by: str


class RunAbortRequested(BaseEvent, frozen=True):
    """Abort every task that has not ended."""

    by: str


class RunDrainRequested(BaseEvent, frozen=True):
    """Start nothing more and stop once running agents have finished; with `kill`, end them now."""

    by: str
    kill: bool = False


class SlotsRequested(BaseEvent, frozen=True):
    """Change the number of slots; with fewer, running agents finish first."""

    slots: int
    by: str


class BoostToggled(BaseEvent, frozen=True):
    """Emergency boost was switched on or off."""

    by: str


class LandRequested(BaseEvent, frozen=True):
    """Bring the landed work to the branch that the run started from."""

    by: str


class RunLanded(BaseEvent, frozen=True):
    """The target branch contains the run's commits, up to `commit`."""

    target: str
    commit: CommitId
    detail: str = ""


class RunLandRefused(BaseEvent, frozen=True):
    """The user's branch was not moved; a `passing` failure is retried."""

    reason: str
    passing: bool = False


class RunFinished(BaseEvent, frozen=True):
    """The run ended, for now; `makespan_seconds` is its duration so far."""

    outcome: Outcome
    exit_code: int
    makespan_seconds: float | None = None


class TaskDispatched(BaseEvent, frozen=True):
    """The scheduler gave the task a slot."""

    task: TaskId
    attempt: int
    slot: SlotId


class AttemptFound(BaseEvent, frozen=True):
    """The disk or a ref has an attempt that the journal, an older copy, does not know."""

    task: TaskId
    attempt: int


class TaskHeld(BaseEvent, frozen=True):
    """A ready task could not start, for a reason other than before."""

    task: TaskId
    cause: WaitCause
    on: tuple[str, ...]


class WorkspacePrepared(BaseEvent, frozen=True):
    """The attempt's workspace is ready."""

    task: TaskId
    attempt: int
    path: str
    commit: CommitId


class AgentStarted(BaseEvent, frozen=True):
    """The process runs; `started_at` is by the shim's clock, `listens` means it takes messages.

    `tier` names the means that hold its limits.
    """

    task: TaskId
    attempt: int
    slot: SlotId
    pid: int
    started_at: float
    listens: bool = False
    tier: str = ""


class AgentProgressed(BaseEvent, frozen=True):
    """The agent reported what it is doing."""

    task: TaskId
    attempt: int
    progress: float | None
    activity: str


class AgentPaused(BaseEvent, frozen=True):
    """The attempt's whole process tree is frozen."""

    task: TaskId
    attempt: int


class AgentResumed(BaseEvent, frozen=True):
    """The attempt's process tree runs again."""

    task: TaskId
    attempt: int


class AgentExited(BaseEvent, frozen=True):
    """The process tree is gone. `failure` is None for exit code 0; `exited_at` is shim time.

    `peak_bytes` is the most memory that was seen of the tree, None if unknown.
    """

    task: TaskId
    attempt: int
    exit_code: int | None
    exited_at: float
    failure: FailureKind | None = None
    detail: str = ""
    peak_bytes: int | None = None
    cpu_seconds: float | None = None


class AttemptReturned(BaseEvent, frozen=True):
    """The attempt never got a process, as its engine died first; the attempt does not count."""

    task: TaskId
    attempt: int
    reason: str


class ConflictDecided(BaseEvent, frozen=True):
    """A person resolved a conflict. `work` holds the result, made on the tip; None for a rerun."""

    task: TaskId
    decision: Decision
    work: CommitId | None
    by: str


class PauseRequested(BaseEvent, frozen=True):
    """Pause the task."""

    task: TaskId
    by: str


class ResumeRequested(BaseEvent, frozen=True):
    """Resume the task."""

    task: TaskId
    by: str


class BoostRequested(BaseEvent, frozen=True):
    """Move the task to the front of the ready tasks, or back if it was there."""

    task: TaskId
    by: str


class AbortRequested(BaseEvent, frozen=True):
    """Abort the task."""

    task: TaskId
    by: str


class RetryRequested(BaseEvent, frozen=True):
    """Start a fresh attempt of a task that runs or has ended without success."""

    task: TaskId
    by: str


class TimePassed(BaseEvent, frozen=True):
    """A deadline of the run was reached."""


class Noticed(BaseEvent, frozen=True):
    """A message to the user; changes nothing else."""

    text: str


RunRequest = (
    RunPauseRequested
    | RunResumeRequested
    | RunAbortRequested
    | RunDrainRequested
    | SlotsRequested
    | BoostToggled
    | BudgetExtended
    | LandRequested
)
"""Requests by a person about the run."""
TaskRequest = PauseRequested | ResumeRequested | BoostRequested | AbortRequested | RetryRequested
"""Requests by a person about a task."""
AttemptEvent = (
    WorkspacePrepared
    | AgentStarted
    | AgentProgressed
    | AgentPaused
    | AgentResumed
    | AgentExited
    | AttemptReturned
    | CaptureEvent
)
"""Events of an attempt, from its workspace to its work."""
Event = (
    RunPlanned
    | RunAdopted
    | RunLanded
    | RunLandRefused
    | RunFinished
    | TaskDispatched
    | AttemptFound
    | TaskHeld
    | ConflictDecided
    | TimePassed
    | Noticed
    | RunRequest
    | TaskRequest
    | AttemptEvent
    | TalkEvent
    | LandingEvent
    | OverlapEvent
    | LockEvent
    | RollbackEvent
    | MemoryEvent
)
"""All events; a new event is added to the group beside its class."""

TELEMETRY: tuple[type[Event], ...] = (
    AgentProgressed,
    TaskHeld,
    WritesSeen,
    MemoryMeasured,
)
