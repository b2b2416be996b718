"""Actions, in the imperative: the side effects that `step` asks the engine to perform.

Each is idempotent, so it can be performed again after a crash: adapters check first what is already
done.
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
    """Find the attempt that an earlier engine started, its exit record, or neither."""

    task: TaskId
    attempt: int
    slot: SlotId
    held: bool = False


class PauseAgent(Struct, frozen=True):
    """Freeze the attempt's process tree; if `gently`, at its next step."""

    task: TaskId
    attempt: int
    gently: bool = False


class ResumeAgent(Struct, frozen=True):
    """Unfreeze an attempt's process tree."""

    task: TaskId
    attempt: int


class StopAgent(Struct, frozen=True):
    """End the attempt's process tree: politely first, by force after `grace_seconds`."""

    task: TaskId
    attempt: int
    grace_seconds: float


class AnswerAgent(Struct, frozen=True):
    """Answer an agent's permission request."""

    task: TaskId
    attempt: int
    request: str
    verdict: Verdict


class TellAgent(Struct, frozen=True):
    """Send a person's message to a running agent."""

    task: TaskId
    attempt: int
    text: str


class GrantLock(Struct, frozen=True):
    """Tell the process that waits with this claim that it holds its locks."""

    claim: ClaimId


class RefuseLock(Struct, frozen=True):
    """Tell the process that waits with this claim that it does not get its locks, and why."""

    claim: ClaimId
    reason: str


class CaptureWork(Struct, frozen=True):
    """Put the attempt's changes under a ref and release its workspace."""

    task: TaskId
    attempt: int


class MergeWork(Struct, frozen=True):
    """Merge the work onto the integration tip as one commit, without moving any branch.

    With `onto`, merge onto that commit as if it had landed. With `auto_resolve`, the strategies
    that the run's rules allow may resolve conflicts.
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
    """Remember how a person resolved the conflict of `work`, for the next time it occurs."""

    task: TaskId
    work: CommitId
    resolved: CommitId
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
