"""Ports of the engine, as protocols that adapters and fakes implement.

Every call can be repeated: after a crash the next engine performs the last actions again.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from pex_tui.core.events.run_events import Event
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import ClaimId, CommitId, RunId, SlotId, TaskId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.task_state import Verdict
from pex_tui.core.model.unlanded import Unlanded
from pex_tui.engine.attempt import AgentReport, AttemptKey, Exited, Launch, Started
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.memory_monitor import MemoryProbe
from pex_tui.engine.overlap_probe import OverlapProbe


class Refusal(Exception):  # noqa: N818  # it may pass
    """Git refused an operation; the message says why, for a person.

    A `passing` refusal may succeed on retry: a full disk, a lock, a killed git.
    """

    def __init__(self, why: str, *, passing: bool = True) -> None:
        super().__init__(why)
        self.passing = passing


class WorkspaceError(Refusal):
    """A workspace could not be prepared or captured."""


class WorkspaceGoneError(WorkspaceError):
    """The workspace no longer exists, and no ref holds anything of it."""


class LandingError(Refusal):
    """Git refused to merge or move a branch."""


class JournalFull(Exception):  # noqa: N818  # a state that passes, not a fault
    """The disk has no room for the journal; nothing was stored."""


class AgentRunner(Protocol):
    """Runs process trees, each owned by a process that outlives the engine."""

    async def start(self, launch: Launch) -> Started:
        """Start an attempt; raise LaunchError. A second start of the same key is an error."""
        ...

    async def adopt(self, key: AttemptKey, *, held: bool = False) -> Started | Exited | None:
        """Find an attempt of an earlier engine: alive, ended, or None when it never started.

        `held` means that the attempt is paused: it gets no input before `resume`.
        """
        ...

    async def wait(self, key: AttemptKey) -> Exited:
        """Return once no process of the attempt is left."""
        ...

    def reports(self, key: AttemptKey) -> AsyncIterator[AgentReport]:
        """Yield the attempt's progress, requests and usage as they happen (a few times a second).

        Unanswered requests of an adopted attempt are reported again.
        """
        ...

    async def answer(self, key: AttemptKey, request: str, verdict: Verdict) -> None:
        """Answer a request of the attempt; a repeated answer changes nothing."""
        ...

    async def tell(self, key: AttemptKey, text: str) -> bool:
        """Send a running attempt a message; return False when it takes none (any more)."""
        ...

    async def pause(self, key: AttemptKey, *, gently: bool = False) -> bool:
        """Freeze the process tree; return True once all of it is frozen, False if it has ended.

        If `gently`, an agent that takes messages first reaches its next step; False as well when
        `resume` was called before that.
        """
        ...

    async def resume(self, key: AttemptKey) -> bool:
        """Resume the paused or frozen tree; return False if it has ended."""
        ...

    async def stop(self, key: AttemptKey, grace_seconds: float) -> None:
        """End the tree, frozen or not: politely, by force after the grace. Return at once."""
        ...

    async def close(self) -> None:
        """Release all resources; running attempts continue."""
        ...


class Workspace(Struct, frozen=True):
    """The checkout of an attempt, and the commit it starts from.

    `holds_work` means that an earlier attempt's changes are applied to it already.
    """

    path: Path
    commit: CommitId
    holds_work: bool = False


class Captured(Struct, frozen=True):
    """An attempt's changes. `work` is a single-parent commit on the attempt's start commit.

    `left_out` are new files too large for git, with their location. The remaining fields are those
    of `WorkCaptured`.
    """

    work: CommitId | None
    files: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    trespass: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    own_commits: int = 0
    unlanded: tuple[Unlanded, ...] = ()
    intrusions: tuple[str, ...] = ()
    outputs: int = 0


class Workspaces(Protocol):
    """Provides checkouts: pooled worktrees for writers, shared ones (per commit) for readers."""

    async def prepare(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        commit: CommitId,
        seed: CommitId | None = None,
        near: Path | None = None,
    ) -> Workspace:
        """Return a clean checkout of the commit, setup included; raise WorkspaceError.

        The changes of `seed` against its parent are applied if they fit. `near` is the workspace of
        an earlier attempt, preferred because an agent's session may depend on its path.
        """
        ...

    async def capture(self, key: AttemptKey, spec: TaskSpec) -> Captured:
        """Put the attempt's changes under its ref, then release its workspace.

        Idempotent: a second call for the same attempt returns the same. Raises WorkspaceError,
        leaving the workspace alone, when git can't store the work; WorkspaceGoneError when there is
        nothing left to capture.
        """
        ...

    def path(self, key: AttemptKey) -> Path | None:
        """Return the attempt's current workspace, or None."""
        ...

    async def diff(self, key: AttemptKey) -> str:
        """Return a live attempt's changes so far as a unified diff; empty when it is over."""
        ...

    async def close(self) -> None:
        """Release all resources; live attempts keep their workspaces."""
        ...


class Merged(Struct, frozen=True):
    """A commit on `tip` that holds the work; equal to `tip` when nothing is left to land.

    Automatically resolved conflicts are in `combined`, as in `WorkMerged`; such a commit lands only
    after a gate.
    """

    tip: CommitId
    candidate: CommitId
    combined: tuple[ConflictPath, ...] = ()
    against: tuple[TaskId, ...] = ()
    notices: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()


class Conflicted(Struct, frozen=True):
    """Paths that do not merge onto `tip`, and the tasks whose landings changed them."""

    tip: CommitId
    files: tuple[ConflictPath, ...]
    against: tuple[TaskId, ...]
    notices: tuple[str, ...] = ()


class GateResult(Struct, frozen=True):
    """The result of a gate; `command` and `output` (its end, sanitized) are the failed check's.

    A stopped gate says nothing about the commit.
    """

    passed: bool
    seconds: float
    command: str = ""
    output: str = ""
    stopped: bool = False


class Moved(Struct, frozen=True):
    """The branch is at the commit."""


class MoveRefused(Struct, frozen=True):
    """The branch is elsewhere; `reason` says where."""

    reason: str


class Lander(Protocol):
    """Git operations of the merge queue; each reads the repository afresh and can be repeated."""

    async def tip(self) -> CommitId:
        """Return the commit that landed last, whatever others did to the integration branch."""
        ...

    async def guard(self) -> tuple[str, ...]:
        """Restore the integration branch if it was moved by others; return notices for the user."""
        ...

    async def merge(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        work: CommitId,
        *,
        onto: CommitId | None = None,
        auto_resolve: bool = False,
    ) -> Merged | Conflicted:
        """Merge the work onto the tip into one single-parent commit under a keep-ref.

        With `onto`, the tip is that commit instead of the branch's. With `auto_resolve` and a gate,
        conflicts may be resolved by strategies or remembered decisions.
        """
        ...

    async def gate(self, key: AttemptKey, commit: CommitId) -> GateResult:
        """Run the verify commands on the commit in a workspace of the gate's own; two at most."""
        ...

    async def stop_gate(self, task: TaskId) -> None:
        """End the gate of the task."""
        ...

    async def move(self, key: AttemptKey, old: CommitId, new: CommitId) -> Moved | MoveRefused:
        """Compare-and-swap the integration branch; Moved also when `new` has landed already.

        If the branch held anything but the last landed commit, that is preserved under a ref.
        """
        ...

    async def lacks(self, key: AttemptKey, work: CommitId) -> bool:
        """Return whether the landed commits lack any part of the work's changes."""
        ...

    async def sides(
        self,
        key: AttemptKey,
        work: CommitId,
        tip: CommitId,
        resolved: CommitId | None = None,
        protected: tuple[str, ...] = (),
    ) -> tuple[ConflictSides, ...]:
        """Return the conflicting paths and the changed `protected` ones; propose `resolved`."""
        ...

    async def resolve(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        work: CommitId,
        tip: CommitId,
        decision: Decision,
        contents: dict[str, bytes | None],
        protected: tuple[str, ...] = (),
    ) -> CommitId:
        """Make the commit that resolves a conflict, on `tip`, under a ref.

        OURS and THEIRS decide every conflicting path not in `contents`; a path with None is
        removed. Clean changes of both sides are taken.
        """
        ...

    async def remember(self, work: CommitId, resolved: CommitId, by: str) -> None:
        """Remember the resolution of the work's conflict with `resolved`'s parent; never raises."""
        ...

    async def diff(self, commit: CommitId) -> str:
        """Return a commit's changes against its parent as a unified diff."""
        ...

    async def land_run(self, target: str) -> tuple[CommitId, str]:
        """Bring the integration branch to the target; return the new tip and a description.

        Raises LandingError, changing nothing, when the user's own work is in the way.
        """
        ...


class Launches(Protocol):
    """Provides the environment, ports and folders of a process."""

    def build(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        slot: SlotId,
        workspace: Workspace,
        lesson: str = "",
    ) -> Launch:
        """Return everything needed to start the attempt; raise LaunchError.

        `lesson` is the prompt about the previous attempt, whose session is resumed where possible.
        """
        ...


class LockDesk(Protocol):
    """Answers the processes that wait for locks; a process that is gone is ignored."""

    def grant(self, claim: ClaimId) -> None:
        """Tell the process that it holds its locks."""
        ...

    def refuse(self, claim: ClaimId, reason: str) -> None:
        """Tell the process that it does not get its locks."""
        ...


class Journal(Protocol):
    """The durable record of a run: appended events are on disk when `append` returns."""

    async def append(self, run: RunId, events: Sequence[tuple[int, Event]]) -> None:
        """Store (seq, event) pairs in order; durable on return unless all are telemetry.

        Raises JournalFull when the disk is full.
        """
        ...

    def read(self, run: RunId) -> list[Event]:
        """Return all events of the run, upcast to today's types."""
        ...

    async def close(self) -> None: ...


class SlotPool(Protocol):
    """Runs the agents' jobs, one at a time in each slot."""

    async def run(
        self, slot: SlotId, name: str, job: Callable[[], Coroutine[Any, Any, int]]
    ) -> int:
        """Run the job in the slot; return its exit code once the slot is free."""
        ...


class Clock(Protocol):
    """Time, in absolute seconds."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


def _forget(_: Exception) -> None:
    pass


class Ports(Struct, frozen=True):
    """The engine's connections to the outside."""

    journal: Journal
    workspaces: Workspaces
    runner: AgentRunner
    launches: Launches
    lander: Lander
    clock: Clock
    overlap_probe: OverlapProbe | None = None  # None: overlaps are not monitored
    memory: MemoryProbe | None = None  # None: memory is not measured, so nothing waits for it
    desk: LockDesk | None = None  # None: agents can't take locks
    log: Callable[[Exception], None] = _forget  # records failures that do not end the run
