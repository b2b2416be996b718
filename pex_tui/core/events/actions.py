"""What is to be done, in the imperative: what `step` asks the engine to perform.

Each is safe to perform again after a crash: the adapters look first at what is already so.
"""

from dataclasses import dataclass

from pex_tui.core.model.ids import ClaimId, CommitId, SlotId, TaskId
from pex_tui.core.model.state import Verdict


@dataclass(frozen=True, slots=True)
class StartAgent:
    """Prepare a workspace and start the attempt in the slot."""

    task: TaskId
    attempt: int
    slot: SlotId


@dataclass(frozen=True, slots=True)
class AdoptAgent:
    """Find the attempt that an earlier engine started, or its exit record, or neither."""

    task: TaskId
    attempt: int
    slot: SlotId
    held: bool = False


@dataclass(frozen=True, slots=True)
class PauseAgent:
    """Freeze it; gently, at its next step."""

    task: TaskId
    attempt: int
    gently: bool = False


@dataclass(frozen=True, slots=True)
class ResumeAgent:
    task: TaskId
    attempt: int


@dataclass(frozen=True, slots=True)
class StopAgent:
    """End the attempt's tree: politely, then after `grace_seconds` for good."""

    task: TaskId
    attempt: int
    grace_seconds: float


@dataclass(frozen=True, slots=True)
class AnswerAgent:
    """Give the agent the answer that it waits for."""

    task: TaskId
    attempt: int
    request: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TellAgent:
    """Give a running agent a person's message."""

    task: TaskId
    attempt: int
    text: str


@dataclass(frozen=True, slots=True)
class GrantLock:
    """Tell the process that waits with this claim that it has its locks."""

    claim: ClaimId


@dataclass(frozen=True, slots=True)
class RefuseLock:
    """Tell it that it won't get them, and why."""

    claim: ClaimId
    reason: str


@dataclass(frozen=True, slots=True)
class CaptureWork:
    """Put what the attempt changed under a ref and give its workspace back."""

    task: TaskId
    attempt: int


@dataclass(frozen=True, slots=True)
class MergeWork:
    """Merge the work onto the integration tip as one commit, without moving any branch.

    With `onto` it is merged onto that commit, as if it had landed. With `combine`, what conflicts
    may be settled by the strategies that the run's rules allow.
    """

    task: TaskId
    attempt: int
    work: CommitId
    onto: CommitId | None = None
    combine: bool = False


@dataclass(frozen=True, slots=True)
class RunGate:
    """Run the verify commands on the commit's tree."""

    task: TaskId
    attempt: int
    commit: CommitId


@dataclass(frozen=True, slots=True)
class StopGate:
    task: TaskId


@dataclass(frozen=True, slots=True)
class MoveBranch:
    """Compare-and-swap the integration branch from `old` to `new`."""

    task: TaskId
    attempt: int
    old: CommitId
    new: CommitId


@dataclass(frozen=True, slots=True)
class RememberDecision:
    """Keep how somebody settled the conflict of `work`, for when it is met again."""

    task: TaskId
    work: CommitId
    settled: CommitId
    by: str


@dataclass(frozen=True, slots=True)
class LandRun:
    """Bring the integration branch to the branch that the run started from."""

    target: str


Action = (
    StartAgent
    | AdoptAgent
    | PauseAgent
    | ResumeAgent
    | StopAgent
    | AnswerAgent
    | TellAgent
    | GrantLock
    | RefuseLock
    | CaptureWork
    | MergeWork
    | RunGate
    | StopGate
    | MoveBranch
    | RememberDecision
    | LandRun
)
