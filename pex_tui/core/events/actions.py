"""What is to be done, in the imperative: what `step` asks the engine to perform.

Each is safe to perform again after a crash: the adapters look first at what is already so.
"""

from msgspec import Struct

from pex_tui.core.model.ids import ClaimId, CommitId, SlotId, TaskId
from pex_tui.core.model.task_state import Verdict


class StartAgent(Struct, frozen=True):
    """Prepare a workspace and start the attempt in the slot."""

    task: TaskId
    attempt: int
    slot: SlotId


class AdoptAgent(Struct, frozen=True):
    """Find the attempt that an earlier engine started, or its exit record, or neither."""

    task: TaskId
    attempt: int
    slot: SlotId
    held: bool = False


class PauseAgent(Struct, frozen=True):
    """Freeze it; gently, at its next step."""

    task: TaskId
    attempt: int
    gently: bool = False


class ResumeAgent(Struct, frozen=True):
    """Let the process tree of an attempt run again."""

    task: TaskId
    attempt: int


class StopAgent(Struct, frozen=True):
    """End the attempt's tree: politely, then after `grace_seconds` for good."""

    task: TaskId
    attempt: int
    grace_seconds: float


class AnswerAgent(Struct, frozen=True):
    """Give the agent the answer that it waits for."""

    task: TaskId
    attempt: int
    request: str
    verdict: Verdict


class TellAgent(Struct, frozen=True):
    """Give a running agent a person's message."""

    task: TaskId
    attempt: int
    text: str


class GrantLock(Struct, frozen=True):
    """Tell the process that waits with this claim that it has its locks."""

    claim: ClaimId


class RefuseLock(Struct, frozen=True):
    """Tell it that it won't get them, and why."""

    claim: ClaimId
    reason: str


class CaptureWork(Struct, frozen=True):
    """Put what the attempt changed under a ref and give its workspace back."""

    task: TaskId
    attempt: int


class MergeWork(Struct, frozen=True):
    """Merge the work onto the integration tip as one commit, without moving any branch.

    With `onto` it is merged onto that commit, as if it had landed. With `auto_resolve`, what
    conflicts may be resolved by the strategies that the run's rules allow.
    """

    task: TaskId
    attempt: int
    work: CommitId
    onto: CommitId | None = None
    auto_resolve: bool = False


class RunGate(Struct, frozen=True):
    """Run the verify commands on the commit's tree."""

    task: TaskId
    attempt: int
    commit: CommitId


class StopGate(Struct, frozen=True):
    """End the gate that tests a task."""

    task: TaskId


class MoveBranch(Struct, frozen=True):
    """Compare-and-swap the integration branch from `old` to `new`."""

    task: TaskId
    attempt: int
    old: CommitId
    new: CommitId


class RememberResolution(Struct, frozen=True):
    """Keep how somebody settled the conflict of `work`, for when it is met again."""

    task: TaskId
    work: CommitId
    settled: CommitId
    by: str


class LandRun(Struct, frozen=True):
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
    | RememberResolution
    | LandRun
)
