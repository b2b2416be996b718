"""The engine's ports in memory: agents that end when told, a git of counters, a list as journal."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pex_tui.core.events.run_events import Event, RunPlanned
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import CommitId, RunId, SlotId, TaskId
from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import Verdict
from pex_tui.core.step import begin
from pex_tui.engine.attempt import (
    AgentReport,
    AttemptKey,
    Exited,
    Launch,
    LaunchError,
    Progress,
    Started,
)
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.engine import Engine
from pex_tui.engine.overlap_probe import OverlapProbe
from pex_tui.engine.ports import (
    Captured,
    Conflicted,
    GateResult,
    JournalFull,
    Merged,
    Moved,
    MoveRefused,
    Ports,
    Workspace,
)

BASE = CommitId("b" * 40)
RUN = RunId("r1")


class ManualClock:
    """Stands still until it is moved; a sleep moves it."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class MemoryJournal:
    rows: list[tuple[int, Event]] = field(default_factory=list)
    full: int = 0  # how many appends are refused
    commits: list[int] = field(default_factory=list)  # rows after each append
    limit: int | None = None  # the engine dies while it waits for a row beyond this one

    async def append(self, run: RunId, events: Sequence[tuple[int, Event]]) -> None:
        assert run == RUN
        await asyncio.sleep(0)
        if self.full:
            self.full -= 1
            raise JournalFull
        if self.limit is not None and len(self.rows) >= self.limit:
            await asyncio.Event().wait()
        self.rows.extend(events)
        self.commits.append(len(self.rows))

    def read(self, run: RunId) -> list[Event]:
        assert run == RUN
        return [event for _, event in self.rows]

    async def close(self) -> None:
        pass


@dataclass
class FakeRunner:
    """Processes that outlive the engine, as shims do."""

    clock: ManualClock
    scripts: dict[TaskId, list[int]] = field(default_factory=dict)  # exit codes, one per attempt
    manual: set[TaskId] = field(default_factory=set)  # end only when told
    starts: list[AttemptKey] = field(default_factory=list)
    alive: dict[AttemptKey, asyncio.Future[Exited]] = field(default_factory=dict)
    ended: dict[AttemptKey, Exited] = field(default_factory=dict)
    missing: set[TaskId] = field(default_factory=set)
    most_alive: int = 0
    listening: bool = False
    talk: dict[TaskId, tuple[AgentReport, ...]] = field(default_factory=dict)
    answers: list[tuple[TaskId, str, Verdict]] = field(default_factory=list)
    told: list[tuple[TaskId, str]] = field(default_factory=list)

    async def start(self, launch: Launch) -> Started:
        assert launch.key not in self.starts
        if launch.key.task in self.missing:
            raise LaunchError("no such program", permanent=True)
        self.starts.append(launch.key)
        self.alive[launch.key] = asyncio.get_running_loop().create_future()
        self.most_alive = max(self.most_alive, len(self.alive))
        if launch.key.task not in self.manual:
            asyncio.get_running_loop().call_soon(self.end, launch.key)
        return Started(len(self.starts), self.clock.now(), self.listening)

    def end(self, key: AttemptKey, code: int | None = None) -> None:
        codes = self.scripts.get(key.task, [])
        if code is None:
            code = codes[key.attempt - 1] if key.attempt <= len(codes) else 0
        exited = Exited(code, None, self.clock.now(), self.clock.now())
        future = self.alive.pop(key, None)
        if future is not None:
            self.ended[key] = exited
            if not future.done():
                future.set_result(exited)

    async def adopt(self, key: AttemptKey, *, held: bool = False) -> Started | Exited | None:
        del held
        if key in self.alive:
            self.alive[key] = asyncio.get_running_loop().create_future()
            if key.task not in self.manual:
                asyncio.get_running_loop().call_soon(self.end, key)
            return Started(7, self.clock.now())
        return self.ended.get(key)

    async def wait(self, key: AttemptKey) -> Exited:
        if key in self.ended:
            return self.ended[key]
        return await asyncio.shield(self.alive[key])

    async def reports(self, key: AttemptKey) -> AsyncIterator[AgentReport]:
        yield Progress(0.5, f"{key.task} is half way")
        for report in self.talk.get(key.task, ()):
            yield report
        if key in self.alive:
            await asyncio.wait([self.alive[key]])

    async def answer(self, key: AttemptKey, request: str, verdict: Verdict) -> None:
        self.answers.append((key.task, request, verdict))
        self.end(key, 1 if verdict is Verdict.DENY else 0)

    async def tell(self, key: AttemptKey, text: str) -> bool:
        self.told.append((key.task, text))
        return key in self.alive

    async def pause(self, key: AttemptKey, *, gently: bool = False) -> bool:
        del gently
        return key in self.alive

    async def resume(self, key: AttemptKey) -> bool:
        return key in self.alive

    async def stop(self, key: AttemptKey, grace_seconds: float) -> None:
        assert grace_seconds >= 0
        self.end(key, 143)

    async def close(self) -> None:
        pass


@dataclass
class FakeGit:
    """Workspaces and lander over counters; all that must survive a crash is stored here."""

    changes: dict[TaskId, tuple[str, ...]] = field(default_factory=dict)
    conflicts: dict[TaskId, int] = field(default_factory=dict)  # how many merges conflict
    plain: set[TaskId] = field(default_factory=set)  # whose conflicts a strategy resolves
    red: set[CommitId] = field(default_factory=set)
    landed: list[CommitId] = field(default_factory=list)
    lacking: set[tuple[AttemptKey, CommitId]] = field(default_factory=set)
    works: dict[AttemptKey, CommitId] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def prepare(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        commit: CommitId,
        seed: CommitId | None = None,
        near: Path | None = None,
    ) -> Workspace:
        assert key.task == spec.id
        assert near is None or key.attempt > 1
        return Workspace(Path(f"/ws/{key.task}"), commit, holds_work=seed is not None)

    async def capture(self, key: AttemptKey, spec: TaskSpec) -> Captured:
        files = self.changes.get(spec.id, ())
        if not files:
            return Captured(None)
        if key not in self.works:
            self.works[key] = self._commit("work")
        return Captured(self.works[key], files)

    def path(self, key: AttemptKey) -> Path | None:
        return Path(f"/ws/{key.task}")

    async def close(self) -> None:
        pass

    async def tip(self) -> CommitId:
        return self.landed[-1] if self.landed else BASE

    async def merge(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        work: CommitId,
        *,
        onto: CommitId | None = None,
        auto_resolve: bool = False,
    ) -> Merged | Conflicted:
        assert key.task == spec.id
        tip = onto or await self.tip()
        if self.conflicts.get(spec.id, 0) > 0:
            self.conflicts[spec.id] -= 1
            if auto_resolve and spec.id in self.plain:
                file = ConflictPath("src/a.py", "content", strategies=("superset",))
                return Merged(tip, CommitId(f"merge-{work}-{tip}"), (file,), ())
            return Conflicted(tip, (ConflictPath("src/a.py"),), ())
        return Merged(tip, CommitId(f"merge-{work}-{tip}"))

    async def gate(self, key: AttemptKey, commit: CommitId) -> GateResult:
        assert key.run == RUN
        passed = commit not in self.red
        return GateResult(passed, 1.0, "" if passed else "check", "it is red")

    async def stop_gate(self, task: TaskId) -> None:
        assert task

    async def move(self, key: AttemptKey, old: CommitId, new: CommitId) -> Moved | MoveRefused:
        assert key.run == RUN
        if new in self.landed:
            return Moved()
        if old != await self.tip():
            return MoveRefused("elsewhere")
        self.landed.append(new)
        return Moved()

    async def sides(
        self,
        key: AttemptKey,
        work: CommitId,
        tip: CommitId,
        resolved: CommitId | None = None,
        protected: tuple[str, ...] = (),
    ) -> tuple[ConflictSides, ...]:
        assert not protected
        assert resolved is None or resolved != work
        assert key
        assert work
        assert tip
        return ()

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
        assert not protected
        assert (key.task, work, tip, contents) == (spec.id, work, tip, contents)
        return self._commit(f"resolved-{decision}")

    async def lacks(self, key: AttemptKey, work: CommitId) -> bool:
        return (key, work) in self.lacking

    async def guard(self) -> tuple[str, ...]:
        return ()

    async def remember(self, work: CommitId, resolved: CommitId, by: str) -> None:
        pass

    async def diff(self, commit: object) -> str:
        return f"diff of {commit}"

    async def land_run(self, target: str) -> tuple[CommitId, str]:
        return await self.tip(), f"{target} moved"

    def _commit(self, what: str) -> CommitId:
        return CommitId(f"{what}-{next(self._numbers)}")


class FakeLaunches:
    def build(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        slot: SlotId,
        workspace: Workspace,
        lesson: str = "",
    ) -> Launch:
        assert not lesson or workspace.path
        return Launch(key, spec.argv, workspace.path, {"PEX_SLOT": str(slot)}, 1.0)


@dataclass
class FakeWorld:
    """All ports, and all that survives an engine."""

    clock: ManualClock = field(default_factory=ManualClock)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    git: FakeGit = field(default_factory=FakeGit)
    overlap_probe: OverlapProbe | None = None
    faults: list[Exception] = field(default_factory=list)  # what failed without ending the run

    def __post_init__(self) -> None:
        self.runner = FakeRunner(self.clock)

    def ports(self) -> Ports:
        return Ports(
            self.journal,
            self.git,
            self.runner,
            FakeLaunches(),
            self.git,
            self.clock,
            self.overlap_probe,
            log=self.faults.append,
        )

    def begin(self, *tasks: TaskSpec, rules: RunRules | None = None, **fields: object) -> RunState:
        plan = Plan(tasks, **fields)  # type: ignore[arg-type]  # test shorthand
        planned = RunPlanned(
            RUN, plan, rules or RunRules(), BASE, "pex/r1", "main", seed=1, at=self.clock.now()
        )
        self.journal.rows.append((1, planned))
        return begin(planned)

    def engine(self, state: RunState, *, attended: bool = False) -> Engine:
        return Engine(state, self.ports(), attended=attended)


async def until(condition: Callable[[], bool], most: int = 2000) -> None:
    """Let the loop run until the condition holds."""
    for _ in range(most):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("the condition never came to hold")
