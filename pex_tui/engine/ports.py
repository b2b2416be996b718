"""What the engine needs of the world, as protocols that adapters and fakes implement.

Every call is safe to repeat: after a crash the next engine performs the last actions again.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from pex_tui.core.events.run_events import Event
from pex_tui.core.model.conflict import CombinedFile, ConflictFile, Decision
from pex_tui.core.model.ids import ClaimId, CommitId, RunId, SlotId, TaskId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.task_state import Verdict
from pex_tui.core.model.unlanded import Unlanded
from pex_tui.engine.attempt import AgentReport, AttemptKey, Exited, Launch, Started
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.overlap_probe import OverlapProbe


class Refusal(Exception):  # noqa: N818  # it may pass
    """Git refused something; the text says why, for a person.

    A refusal that is `passing` may not be met again: a full disk, a lock, a git that was killed.
    """

    def __init__(self, why: str, *, passing: bool = True) -> None:
        super().__init__(why)
        self.passing = passing


class WorkspaceError(Refusal):
    """A workspace could not be prepared or captured."""


class WorkspaceGoneError(WorkspaceError):
    """The workspace is not there any more, nor is anything of it under a ref."""


class LandingError(Refusal):
    """Git refused to merge or move."""


class JournalFull(Exception):  # noqa: N818  # a state that passes, not a fault
    """The disk has no room for the journal; nothing was stored."""


class AgentRunner(Protocol):
    """Process trees, each owned by something that outlives the engine."""

    async def start(self, launch: Launch) -> Started:
        """Start an attempt; raise LaunchError. A second start of the same key is an error."""
        ...

    async def adopt(self, key: AttemptKey, *, held: bool = False) -> Started | Exited | None:
        """Find what an earlier engine started: alive, ended, or None when it never started.

        `held` means that it was paused: it is told nothing before `resume`.
        """
        ...

    async def wait(self, key: AttemptKey) -> Exited:
        """Return once no process of the attempt is left."""
        ...

    def reports(self, key: AttemptKey) -> AsyncIterator[AgentReport]:
        """What the attempt does, asks and spends, as that happens (progress a few times a second).

        What an adopted attempt has asked and was not answered is reported again.
        """
        ...

    async def answer(self, key: AttemptKey, request: str, verdict: Verdict) -> None:
        """Answer what the attempt has asked; an answer that was given already changes nothing."""
        ...

    async def tell(self, key: AttemptKey, text: str) -> bool:
        """Give a running attempt a message; False when it takes none (any more)."""
        ...

    async def pause(self, key: AttemptKey, *, gently: bool = False) -> bool:
        """Freeze the whole tree; True once all of it is frozen, False if it has ended.

        Gently, an agent that listens is left to come to its next step, and is held there. False as
        well when `resume` was called before that.
        """
        ...

    async def resume(self, key: AttemptKey) -> bool:
        """Let the tree go on, held or frozen; False if it has ended."""
        ...

    async def stop(self, key: AttemptKey, grace_seconds: float) -> None:
        """End the tree, frozen or not: politely, after the grace for good. Returns at once."""
        ...

    async def close(self) -> None:
        """Let go of everything; what runs, runs on."""
        ...


class Workspace(Struct, frozen=True):
    """Where an attempt works, and the commit it starts from.

    `holds_work` means that an earlier attempt's changes are in it already.
    """

    path: Path
    commit: CommitId
    holds_work: bool = False


class Captured(Struct, frozen=True):
    """What an attempt changed. `work` is a single-parent commit on the attempt's start commit.

    `left_out` are new files that are no part of it, as they are too large: where they lie now. The
    last ones are those of `WorkCaptured`.
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
    """Checkouts for agents: pooled worktrees for writers, one shared view a commit for readers."""

    async def prepare(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        commit: CommitId,
        seed: CommitId | None = None,
        near: Path | None = None,
    ) -> Workspace:
        """Return a clean checkout of the commit, setup included; raise WorkspaceError.

        What `seed` changed since its parent is put on top if it fits. `near` is where an earlier
        attempt worked: the place wanted most, as an agent's session may only go on there.
        """
        ...

    async def capture(self, key: AttemptKey, spec: TaskSpec) -> Captured:
        """Put the attempt's changes under its ref, then give the workspace back.

        Idempotent: a second call for the same attempt answers the same. Raises WorkspaceError and
        leaves the workspace alone when git can't keep the work; WorkspaceGoneError when there is
        nothing left to keep.
        """
        ...

    def path(self, key: AttemptKey) -> Path | None:
        """Where the attempt works right now, or None."""
        ...

    async def diff(self, key: AttemptKey) -> str:
        """What a live attempt has changed so far, as a unified diff; empty when it is over."""
        ...

    async def close(self) -> None:
        """Let go; attempts that still live keep their workspaces."""
        ...


class Merged(Struct, frozen=True):
    """A commit on `tip` that holds the work; equal to `tip` when nothing is left to land.

    Conflicts are `combined` with nobody asked: it lands only if a gate passes; see `WorkMerged`.
    """

    tip: CommitId
    candidate: CommitId
    combined: tuple[CombinedFile, ...] = ()
    against: tuple[TaskId, ...] = ()
    notices: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()


class Conflicted(Struct, frozen=True):
    """Paths that do not merge onto `tip`, and the tasks whose landing changed them."""

    tip: CommitId
    files: tuple[ConflictFile, ...]
    against: tuple[TaskId, ...]
    notices: tuple[str, ...] = ()


class GateResult(Struct, frozen=True):
    """How the gate ended; `command` and `output` (its tail, cleaned) are the failed check's.

    One that was stopped says nothing of the commit.
    """

    passed: bool
    seconds: float
    command: str = ""
    output: str = ""
    stopped: bool = False


class Moved(Struct, frozen=True):
    """The branch holds the commit."""


class MoveRefused(Struct, frozen=True):
    """The branch is elsewhere; `reason` says where."""

    reason: str


class Lander(Protocol):
    """The merge queue's hands: each call looks at the repository as it is, and may be repeated."""

    async def tip(self) -> CommitId:
        """What landed last, whatever somebody else made of the integration branch."""
        ...

    async def guard(self) -> tuple[str, ...]:
        """Put the integration branch back where somebody moved it; what the user is to be told."""
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

        With `onto`, the tip is that commit instead of the branch's. With `auto_resolve`, conflicts
        may be resolved by strategies, or as a person did before, where there is a gate.
        """
        ...

    async def gate(self, key: AttemptKey, commit: CommitId) -> GateResult:
        """Run the verify commands on the commit in a workspace of the gate's own; two at most."""
        ...

    async def stop_gate(self, task: TaskId) -> None:
        """End a gate that runs for the task."""
        ...

    async def move(self, key: AttemptKey, old: CommitId, new: CommitId) -> Moved | MoveRefused:
        """Compare-and-swap the integration branch; Moved also when `new` has landed already.

        Whatever it held instead of what landed last is kept and put aside.
        """
        ...

    async def lacks(self, key: AttemptKey, work: CommitId) -> bool:
        """Return whether what has landed does not hold all that the work changed."""
        ...

    async def sides(
        self,
        key: AttemptKey,
        work: CommitId,
        tip: CommitId,
        settled: CommitId | None = None,
        protected: tuple[str, ...] = (),
    ) -> tuple[ConflictSides, ...]:
        """The paths in conflict, and the `protected` ones that change; `settled` is proposed."""
        ...

    async def settle(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        work: CommitId,
        tip: CommitId,
        decision: Decision,
        contents: dict[str, bytes | None],
        protected: tuple[str, ...] = (),
    ) -> CommitId:
        """Make the commit that settles a conflict, on `tip`, under a ref.

        OURS and THEIRS decide every conflicting path not in `contents`; a path with None is
        removed. Everything that merges cleanly is taken from both.
        """
        ...

    async def remember(self, work: CommitId, settled: CommitId, by: str) -> None:
        """Keep how somebody settled the work's conflict with `settled`'s parent; never raises."""
        ...

    async def diff(self, commit: CommitId) -> str:
        """What a commit changed against its parent, as a unified diff."""
        ...

    async def land_run(self, target: str) -> tuple[CommitId, str]:
        """Bring the integration branch to the target; the new tip and what was done.

        Raises LandingError, nothing changed, when the user's own work is in the way.
        """
        ...


class Launches(Protocol):
    """Makes a process's circumstances: its environment, its ports, its folders."""

    def build(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        slot: SlotId,
        workspace: Workspace,
        lesson: str = "",
    ) -> Launch:
        """Return all that is needed to start the attempt; raise LaunchError.

        `lesson` is what an agent has to know of the attempt before: it goes on in the same session
        where it can.
        """
        ...


class LockDesk(Protocol):
    """Where processes of agents wait for their locks; one that has gone is told nothing."""

    def grant(self, claim: ClaimId) -> None:
        """It has its locks."""
        ...

    def refuse(self, claim: ClaimId, reason: str) -> None:
        """It won't get them."""
        ...


class Journal(Protocol):
    """The run's memory. What `append` was given is on the disk when it returns."""

    async def append(self, run: RunId, events: Sequence[tuple[int, Event]]) -> None:
        """Store (seq, event) pairs in order; durable on return unless all are telemetry.

        Raises JournalFull when the disk is.
        """
        ...

    def read(self, run: RunId) -> list[Event]:
        """Return all events of the run, upcast to today's types."""
        ...

    async def close(self) -> None: ...


class SlotPool(Protocol):
    """Where agents' jobs run: one at a time in each slot."""

    async def run(
        self, slot: SlotId, name: str, job: Callable[[], Coroutine[Any, Any, int]]
    ) -> int:
        """Run the job in the slot; return its exit code once the slot is really free."""
        ...


class Clock(Protocol):
    """Time, in absolute seconds."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


def _forget(_: Exception) -> None:
    pass


class Ports(Struct, frozen=True):
    """The engine's hands and eyes."""

    journal: Journal
    workspaces: Workspaces
    runner: AgentRunner
    launches: Launches
    lander: Lander
    clock: Clock
    overlap_probe: OverlapProbe | None = None  # without one, nobody looks
    desk: LockDesk | None = None  # without one, nobody asks
    log: Callable[[Exception], None] = _forget  # takes down what failed without ending the run
