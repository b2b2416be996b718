"""The state of a task and of its present attempt; immutable, changed by `step` alone."""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.model.conflict import AutoResolution
from pex_tui.core.model.ids import CommitId, SlotId, TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, LandingStage, Phase
from pex_tui.core.model.unlanded import Unlanded


class FailureKind(StrEnum):
    """Why an attempt did not succeed; the last six are not retried."""

    EXIT = "exit"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    PREPARE = "prepare"  # its workspace or process could not be made ready this time
    LOST = "lost"  # its process vanished without a record
    NO_CHANGES = "no_changes"  # it promised changes and made none
    UNEXPECTED_CHANGES = "unexpected_changes"  # it promised to change nothing and did
    MARKERS = "markers"  # it left merge markers in its files
    AGENT = "agent"  # by its own word
    LIMIT = "limit"  # its model's provider takes no more for now; tried again for nothing
    STALL = "stall"  # it gave no sign of life
    AUTH = "auth"  # its login is refused
    LAUNCH = "launch"  # its command can't be run
    GATE = "gate"  # its work was merged and did not pass
    CAPTURE = "capture"  # its work could not be put under a ref
    LANDING = "landing"  # git refused to merge or move
    PROTECTED = "protected"  # it changed what only a person may change


PERMANENT = frozenset(
    {
        FailureKind.AUTH,
        FailureKind.LAUNCH,
        FailureKind.GATE,
        FailureKind.CAPTURE,
        FailureKind.LANDING,
        FailureKind.PROTECTED,
    }
)


class StopCause(StrEnum):
    """Why a live process is being stopped."""

    ABORT = "abort"  # a person said so
    TIMEOUT = "timeout"
    RERUN = "rerun"  # a person asked for a fresh attempt
    YIELD = "yield"  # it makes way for another that it collides with
    DEADLOCK = "deadlock"  # it gives back its locks, so that others can go on
    INTERRUPT = "interrupt"  # the run is being killed; the attempt is given back


class WaitCause(StrEnum):
    """What keeps a ready task from starting."""

    SLOT = "slot"
    EXCLUDED = "conflict"  # a neighbour that must not run beside it
    RESOURCE = "resource"  # a named lock
    LIMIT = "limit"  # its model's provider takes no more for a while
    BUDGET = "budget"  # used up; a person has to say how it goes on


class Verdict(StrEnum):
    """The answer to an agent that asks for a permission."""

    ALLOW_ONCE = "allow_once"
    ALLOW_ALWAYS = "allow_always"  # whatever of the same scope is asked in this run
    DENY = "deny"


class Failure(Struct, frozen=True):
    """Why a task is not a success, in words for a person; `output` is what its gate printed."""

    kind: FailureKind
    detail: str
    output: str = ""


class Wait(Struct, frozen=True):
    """What a ready task waits for and since when; overdue past the lock timeout.

    `on` are those that it was last told to wait for, `told` how often that was. Of many tasks that
    are kept apart for one reason it names one, also when that one's place has passed to another.
    """

    cause: WaitCause
    on: tuple[str, ...]
    since: float
    is_overdue: bool = False
    told: int = 1


ONLY_THIS = "this request alone"
"""The scope of an answer that no other request may have."""


class Permission(Struct, frozen=True):
    """What an agent asked to do; `verdict` is None while it waits for the answer.

    An edit that is allowed is held back, with its verdict, while another task has the file.
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
        """Return the same, with its answer kept back until that task has landed."""
        return replace(self, held_by=by)

    def let_go(self) -> "Permission":
        """Return the same, to be answered now."""
        return replace(self, held_by=None)

    def answered(self, verdict: Verdict, by: str, at: float) -> "Permission":
        """Return the same with its answer."""
        return replace(self, verdict=verdict, by=by, answered_at=at)


class AttemptState(Struct, frozen=True, kw_only=True):
    """What is known of the present attempt of a task, which the next one begins without.

    Times are absolute seconds, None until they happen. `work` is the commit that holds the
    attempt's changes (its parent is where the changes start), `candidate` the commit that would
    land, made on the task's `tip`.
    """

    yields_to: TaskId | None = None  # it stands still until that one has landed
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
    refusals: int = 0  # times in a row that git refused a step of this attempt's landing
    work: CommitId | None = None
    own_work: CommitId | None = None  # what the attempt made, where `work` is a person's result
    candidate: CommitId | None = None
    files: tuple[str, ...] = ()  # changed so far, or in all
    drift: tuple[str, ...] = ()  # files written outside the declared set
    protected: tuple[str, ...] = ()  # paths of the candidate that only a person may change
    approved: tuple[str, ...] = ()  # paths that a person has looked at and decided
    own_commits: int = 0  # that the agent made itself
    unlanded: tuple[Unlanded, ...] = ()  # what else the attempt wrote
    progress: float | None = None  # 0…1; None is unknown, never guessed
    activity: str = ""
    listens: bool = False  # takes messages while it runs
    permissions: tuple[Permission, ...] = ()  # what this attempt asked, answered or not
    spendings: int = 0  # reports of this attempt that are in the task's tokens and cost
    reason: str = ""  # why it stands where it stands, for a person


class TaskState(AttemptState, frozen=True):
    """Everything known of one task and its present attempt.

    `attempt` counts from 1; 0 means never started. `failures` counts attempts that failed,
    `reruns` attempts on a newer tip that a conflict or a red gate asked for; only the first are
    limited by the task's retries. `held` means a person wants it paused, started or not. The next
    attempt of an agent with a model is told the `lesson` of the one before, in the place where that
    worked (`near`), on top of the changes of `seed`.
    """

    id: TaskId
    phase: Phase = Phase.WAITING
    attempt: int = 0
    found: int = 0  # the newest attempt that only the disk knew: it is adopted, never started
    slot: SlotId | None = None
    boosted: bool = False
    held: bool = False
    ready_at: float | None = None
    dispatched_at: float | None = None
    aborted_by: str = ""  # who ended the task before its time, pex-tui's own rules included
    failures: int = 0
    reruns: int = 0
    gate_reruns: int = 0
    rollbacks: int = 0  # times that it gave way in a deadlock
    earlier: CommitId | None = None  # what an attempt made that a rerun is to make once more
    tip: CommitId | None = None
    onto: CommitId | None = None  # the candidate before it in the queue; None is the branch's tip
    conflicts_with: CommitId | None = None  # a candidate that it can't be tested together with
    auto_resolution: AutoResolution | None = None  # what the candidate owes to strategies
    landing_stage: LandingStage | None = None
    landed: CommitId | None = None
    tokens: int | None = None  # of all attempts; None when no agent tells
    cost_usd: float | None = None
    lesson: str = ""
    seed: CommitId | None = None
    near: str = ""

    @property
    def holds_slot(self) -> bool:
        """Return whether a slot is taken by it."""
        return self.phase in HOLDS_SLOT

    @property
    def asks(self) -> tuple[Permission, ...]:
        """Return the permissions that it waits for; a tree that is gone waits for none."""
        return tuple(one for one in self.permissions if one.verdict is None and self.holds_slot)
