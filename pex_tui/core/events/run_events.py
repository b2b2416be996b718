"""What happened, in the past tense: the journal's rows and the JSON Lines' objects.

Every event carries `at`, absolute seconds stamped by the engine. Requests by people carry `by`.
Facts about an attempt carry its number, so that late news of an earlier attempt is recognised.
"""

from dataclasses import dataclass

from pex_tui.core.events.agent_events import BudgetExtended, TalkEvent
from pex_tui.core.events.capture_events import CaptureEvent
from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.events.landing_events import LandingEvent
from pex_tui.core.events.lock_events import LockEvent
from pex_tui.core.events.overlap_events import OverlapEvent, WritesSeen
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import CommitId, RunId, SlotId, TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.semantics import NEWEST
from pex_tui.core.model.state import FailureKind, Outcome, WaitCause


@dataclass(frozen=True, slots=True)
class RunPlanned(BaseEvent):
    """The first event: all that a replay needs; `semantics` is what its steps mean."""

    run: RunId
    plan: Plan
    rules: RunRules
    base: CommitId
    branch: str
    target: str | None
    seed: int
    notices: tuple[str, ...] = ()
    semantics: int = NEWEST


@dataclass(frozen=True, slots=True)
class RunAdopted(BaseEvent):
    """Another engine took the run over.

    `retry_failed` reopens what had failed, `retry_aborted` what a rule of the run had aborted (what
    a person aborted stays so); `keep_pauses` leaves frozen what a person had frozen.
    """

    pid: int
    by: str
    retry_failed: bool = False
    keep_pauses: bool = False
    retry_aborted: bool = False


@dataclass(frozen=True, slots=True)
class RunPauseRequested(BaseEvent):
    by: str


@dataclass(frozen=True, slots=True)
class RunResumeRequested(BaseEvent):
    by: str


@dataclass(frozen=True, slots=True)
class RunAbortRequested(BaseEvent):
    """Every task that has not ended is aborted."""

    by: str


@dataclass(frozen=True, slots=True)
class RunDrainRequested(BaseEvent):
    """Start nothing more and stop when what runs has ended; with `kill`, end it now."""

    by: str
    kill: bool = False


@dataclass(frozen=True, slots=True)
class SlotsRequested(BaseEvent):
    """The pool gets `slots` slots; shrinking drains, never kills."""

    slots: int
    by: str


@dataclass(frozen=True, slots=True)
class BoostToggled(BaseEvent):
    """Emergency boost on or off."""

    by: str


@dataclass(frozen=True, slots=True)
class LandRequested(BaseEvent):
    """Bring what has landed to the branch that the run started from."""

    by: str


@dataclass(frozen=True, slots=True)
class RunLanded(BaseEvent):
    """The target branch now holds the run's commits, up to `commit`."""

    target: str
    commit: CommitId
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RunLandRefused(BaseEvent):
    """The user's branch is as it was; a reason that is `passing` is one to try again for."""

    reason: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class RunFinished(BaseEvent):
    """The run ended, for now; `makespan_seconds` is T up to here."""

    outcome: Outcome
    exit_code: int
    makespan_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TaskDispatched(BaseEvent):
    """The scheduler gave the task a slot."""

    task: TaskId
    attempt: int
    slot: SlotId


@dataclass(frozen=True, slots=True)
class AttemptFound(BaseEvent):
    """The disk or a ref knows an attempt that the journal does not, as that is an older copy."""

    task: TaskId
    attempt: int


@dataclass(frozen=True, slots=True)
class TaskHeld(BaseEvent):
    """A ready task could not start, for a reason other than before."""

    task: TaskId
    cause: WaitCause
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkspacePrepared(BaseEvent):
    task: TaskId
    attempt: int
    path: str
    commit: CommitId


@dataclass(frozen=True, slots=True)
class AgentStarted(BaseEvent):
    """The process runs; `started_at` is the shim's clock, `listens` that it takes messages."""

    task: TaskId
    attempt: int
    slot: SlotId
    pid: int
    started_at: float
    listens: bool = False


@dataclass(frozen=True, slots=True)
class AgentProgressed(BaseEvent):
    """What an agent says it is doing; telemetry, journaled in batches."""

    task: TaskId
    attempt: int
    progress: float | None
    activity: str


@dataclass(frozen=True, slots=True)
class AgentPaused(BaseEvent):
    """Its whole tree is frozen."""

    task: TaskId
    attempt: int


@dataclass(frozen=True, slots=True)
class AgentResumed(BaseEvent):
    task: TaskId
    attempt: int


@dataclass(frozen=True, slots=True)
class AgentExited(BaseEvent):
    """The process tree is gone. `failure` is None for exit code 0; `exited_at` is the shim's."""

    task: TaskId
    attempt: int
    exit_code: int | None
    exited_at: float
    failure: FailureKind | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AttemptReturned(BaseEvent):
    """The attempt never got a process (its engine died first); it does not count."""

    task: TaskId
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class ConflictDecided(BaseEvent):
    """A person settled a conflict. `work` holds their result, made on the tip; None for a rerun."""

    task: TaskId
    decision: Decision
    work: CommitId | None
    by: str


@dataclass(frozen=True, slots=True)
class PauseRequested(BaseEvent):
    task: TaskId
    by: str


@dataclass(frozen=True, slots=True)
class ResumeRequested(BaseEvent):
    task: TaskId
    by: str


@dataclass(frozen=True, slots=True)
class BoostRequested(BaseEvent):
    """The task goes to the front of the ready tasks, or back if it was there."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True)
class AbortRequested(BaseEvent):
    task: TaskId
    by: str


@dataclass(frozen=True, slots=True)
class RetryRequested(BaseEvent):
    """A fresh attempt, for a task that runs or has ended without success."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True)
class TimePassed(BaseEvent):
    """A deadline of the state was reached (`next_deadline`)."""


@dataclass(frozen=True, slots=True)
class Noticed(BaseEvent):
    """Something the user should be told; changes nothing else."""

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
"""What a person wants of the run."""
TaskRequest = PauseRequested | ResumeRequested | BoostRequested | AbortRequested | RetryRequested
"""What a person wants of a task."""
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
"""News of an attempt, from its workspace to its work."""
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
)
"""All events: those of a group are added to the group, beside their class."""

TELEMETRY: tuple[type[Event], ...] = (AgentProgressed, TaskHeld, WritesSeen)
