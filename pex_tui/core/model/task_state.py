"""The state of a task and of its current attempt; immutable, changed by `step` alone."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.model.conflict import AutoResolution
from pex_tui.core.model.ids import CommitId, SlotId, TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, LandingStage, Phase
from pex_tui.core.model.unlanded import Unlanded


class FailureKind(StrEnum):
    """The reason why an attempt failed; the last eight are not retried."""

    EXIT = "exit"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    PREPARE = "prepare"  # its workspace or process could not be prepared this time
    LOST = "lost"  # its process vanished without a record
    NO_CHANGES = "no_changes"  # it promised changes and made none
    UNEXPECTED_CHANGES = "unexpected_changes"  # it promised to change nothing and did
    MARKERS = "markers"  # it left conflict markers in its files
    AGENT = "agent"  # reported by the agent itself
    LIMIT = "limit"  # a provider's rate limit; a retry costs no try
    STALL = "stall"  # it showed no progress
    MEMORY = "memory"  # the machine was short of memory, and the attempt was ended for others
    OVER_MEMORY = "over_memory"  # it exceeded its own memory limit: it would need as much again
    OVER_LIMIT = "over_limit"  # likewise its limit of processes or disk space
    AUTH = "auth"  # its login was rejected
    LAUNCH = "launch"  # its command can't be run
    GATE = "gate"  # its work merged but did not pass
    CAPTURE = "capture"  # its work could not be put under a ref
    LANDING = "landing"  # git refused to merge or move
    PROTECTED = "protected"  # it changed paths that only a person may change


PERMANENT = frozenset(
    {
        FailureKind.OVER_MEMORY,
        FailureKind.OVER_LIMIT,
        FailureKind.AUTH,
        FailureKind.LAUNCH,
        FailureKind.GATE,
        FailureKind.CAPTURE,
        FailureKind.LANDING,
        FailureKind.PROTECTED,
    }
)


class StopCause(StrEnum):
    """The reason why a live process is being stopped."""

    ABORT = "abort"  # a person requested it
    TIMEOUT = "timeout"
    RERUN = "rerun"  # a person requested a fresh attempt
    YIELD = "yield"  # it makes way for a task that it overlaps with
    DEADLOCK = "deadlock"  # it gives back its locks
    MEMORY = "memory"  # the machine has no memory left
    INTERRUPT = "interrupt"  # the run is being killed; the attempt does not count


class WaitCause(StrEnum):
    """The reason why a ready task does not start."""

    SLOT = "slot"
    EXCLUDED = "conflict"  # a neighbour that must not run in parallel
    RESOURCE = "resource"  # a named lock
    LIMIT = "limit"  # its model provider's rate limit
    BUDGET = "budget"  # used up; a person has to decide
    MEMORY = "memory"  # what it reserves does not fit beside the agents at work


class Verdict(StrEnum):
    """The answer to an agent's permission request."""

    ALLOW_ONCE = "allow_once"
    ALLOW_ALWAYS = "allow_always"  # all requests of the same scope in this run
    DENY = "deny"


class Failure(Struct, frozen=True):
    """The reason why a task failed, in words for a person; `output` is the gate's output."""

    kind: FailureKind
    detail: str
    output: str = ""


class Wait(Struct, frozen=True):
    """The reason why a ready task waits, and since when; overdue past the lock timeout.

    `on` are the blockers recorded last, `told` counts such records. A task that several others
    block for one reason names one of them, which may have been replaced by another since.
    """

    cause: WaitCause
    on: tuple[str, ...]
    since: float
    is_overdue: bool = False
    told: int = 1


ONLY_THIS = "this request alone"
"""The scope of an answer that covers no other request."""


class Permission(Struct, frozen=True):
    """A permission request of an agent; `verdict` is None until it is answered.

    An allowed edit is held back, with its verdict, while another task holds the file.
    """

    request: str
    tool: str
    title: str
    touches: tuple[str, ...]
    scope: str
    asked_at: float
    verdict: Verdict | None = None
    by: str = ""
    answered_at: float | None = None
    edits: bool = False  # only files of its own workspace
    held_by: TaskId | None = None

    def held_back(self, by: TaskId) -> "Permission":
        """Return the permission with its answer deferred until that task has landed."""
        return replace(self, held_by=by)

    def let_go(self) -> "Permission":
        """Return the permission, to be answered now."""
        return replace(self, held_by=None)

    def answered(self, verdict: Verdict, by: str, at: float) -> "Permission":
        """Return the permission with its answer."""
        return replace(self, verdict=verdict, by=by, answered_at=at)


class AttemptState(Struct, frozen=True, kw_only=True):
    """The state of a task's current attempt, constructed anew for each one.

    Times are absolute seconds, None until they happen. `work` is the commit that holds the
    attempt's changes (its parent is where the changes start), `candidate` the commit that would
    land, made on the task's `tip`.
    """

    yields_to: TaskId | None = None  # paused until that task has landed
    squeezed: bool = False  # paused until memory is no longer short
    started_at: float | None = None
    exited_at: float | None = None
    ended_at: float | None = None
    retry_at: float | None = None
    paused_at: float | None = None
    paused_seconds: float = 0.0
    wait: Wait | None = None
    workspace: str = ""
    start_commit: CommitId | None = None
    pid: int | None = None
    exit_code: int | None = None
    stop: StopCause | None = None
    failure: Failure | None = None
    refusals: int = 0  # consecutive refusals by git of a landing step
    work: CommitId | None = None
    own_work: CommitId | None = None  # the attempt's own result, where `work` is a person's
    candidate: CommitId | None = None
    files: tuple[str, ...] = ()  # changed so far; complete once captured
    drift: tuple[str, ...] = ()  # files written outside the declared write set
    protected: tuple[str, ...] = ()  # paths of the candidate that only a person may change
    approved: tuple[str, ...] = ()  # paths that a person has reviewed
    own_commits: int = 0  # made by the agent itself
    unlanded: tuple[Unlanded, ...] = ()  # other things that the attempt wrote
    progress: float | None = None  # 0…1; None is unknown, never guessed
    activity: str = ""
    listens: bool = False  # takes messages while it runs
    permissions: tuple[Permission, ...] = ()  # requests of this attempt, answered or not
    spendings: int = 0  # usage reports already counted in the task's tokens and cost
    reason: str = ""  # why the task is in its phase, for a person
    tier: str = ""  # the means that hold its limits
    peak_bytes: int | None = None  # the most memory that was seen of its process tree
    cpu_seconds: float | None = None  # of its processes, once they have ended


class TaskState(AttemptState, frozen=True):
    """The state of one task, its current attempt included.

    `attempt` counts from 1; 0 means never started. `failures` counts failed attempts, `reruns`
    attempts on a newer tip after a conflict or a red gate; only failures are limited by the task's
    retries. `held` means that a person paused it, started or not. The next attempt of an agent with
    a model gets the `lesson` of the previous one, in its workspace (`near`), on top of the changes
    of `seed`.
    """

    id: TaskId
    phase: Phase = Phase.WAITING
    attempt: int = 0
    found: int = 0  # the newest attempt known only from disk: adopted, never started
    slot: SlotId | None = None
    boosted: bool = False
    held: bool = False
    ready_at: float | None = None
    dispatched_at: float | None = None
    aborted_by: str = ""  # who aborted the task, which may be a rule of the run
    aborted_with_run: bool = False  # by a person who aborted the whole run
    failures: int = 0
    reruns: int = 0
    gate_reruns: int = 0
    rollbacks: int = 0  # how often it was the victim of a deadlock
    needed_bytes: int = 0  # the most memory that an attempt needed, as far as that was measured
    earlier: CommitId | None = None  # work of an earlier attempt that a rerun should reproduce
    tip: CommitId | None = None
    onto: CommitId | None = None  # the candidate before it in the queue; None is the branch's tip
    conflicts_with: CommitId | None = None  # a candidate that it can't be tested together with
    auto_resolution: AutoResolution | None = None  # automatic resolutions in the candidate
    landing_stage: LandingStage | None = None
    landed: CommitId | None = None
    rolled_back: CommitId | None = None  # the landed commit that was undone
    tokens: int | None = None  # of all attempts; None when no agent reports any
    cost_usd: float | None = None
    lesson: str = ""
    seed: CommitId | None = None
    near: str = ""

    @property
    def holds_slot(self) -> bool:
        """Return whether the task holds a slot."""
        return self.phase in HOLDS_SLOT

    @property
    def asks(self) -> tuple[Permission, ...]:
        """Return the unanswered permission requests; an attempt without a process has none."""
        return tuple(one for one in self.permissions if one.verdict is None and self.holds_slot)
