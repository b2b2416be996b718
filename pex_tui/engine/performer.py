"""Performs the actions of `step` and reports their results as events."""

from collections.abc import Callable
from typing import assert_never

from pex_tui.core.events.actions import (
    Action,
    AdoptAgent,
    AnswerAgent,
    CaptureWork,
    GrantLock,
    LandRun,
    MergeWork,
    MoveBranch,
    PauseAgent,
    RefuseLock,
    RememberResolution,
    ResumeAgent,
    RunGate,
    StartAgent,
    StopAgent,
    StopGate,
    TellAgent,
)
from pex_tui.core.events.capture_events import CaptureFailed, WorkCaptured
from pex_tui.core.events.landing_events import (
    BranchMoved,
    BranchMoveRefused,
    GateFinished,
    LandingFailed,
    MergeConflicted,
    MergeDeferred,
    WorkMerged,
)
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentPaused,
    AgentResumed,
    Event,
    Noticed,
    RunLanded,
    RunLandRefused,
)
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import FailureKind
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.contained import contained
from pex_tui.engine.ports import (
    LandingError,
    Merged,
    Moved,
    Ports,
    SlotPool,
    WorkspaceError,
    WorkspaceGoneError,
)
from pex_tui.engine.supervisor import Supervisor

_ASKED: dict[type[Action], str] = {
    PauseAgent: "paused",
    ResumeAgent: "resumed",
    StopAgent: "stopped",
    AnswerAgent: "answered",
    TellAgent: "told",
    StopGate: "stopped at its gate",
    RememberResolution: "remembered",
}


class Performer:
    """Runs one coroutine per action; each is safe to repeat after a crash."""

    def __init__(
        self, state: RunState, ports: Ports, pool: SlotPool, post: Callable[[Event], None]
    ) -> None:
        self._run = state.run
        self._ports = ports
        self._pool = pool
        self._post = post
        self._supervisor = Supervisor(state.run, ports, post)

    async def perform(self, state: RunState, action: Action) -> None:
        """Perform an action of `state`; a failure affects this action only."""
        event = await contained(
            self._perform(state, action), lambda why: self._failed(action, why), self._ports.log
        )
        if event is not None:
            self._post(event)

    async def _perform(self, state: RunState, action: Action) -> Event | None:
        match action:
            case StartAgent():
                await self._supervisor.start(self._pool, state, action)
            case AdoptAgent():
                await self._supervisor.adopt(self._pool, action)
            case PauseAgent() | ResumeAgent() | StopAgent() | AnswerAgent() | TellAgent():
                return await self._steer(action)
            case GrantLock() | RefuseLock():
                self._answer_claim(action)
            case CaptureWork():
                captured = await self._capture(state, action)
                await self._guard()
                return captured
            case StopGate():
                await self._ports.lander.stop_gate(action.task)
            case RememberResolution():
                await self._ports.lander.remember(action.work, action.resolved, action.by)
            case LandRun():
                await self._guard()
                brought = await self._land_run(action)
                await self._guard()
                return brought
            case MergeWork() | RunGate() | MoveBranch():
                landed = await self._land(state, action)
                await self._guard()
                return landed
            case _:
                assert_never(action)
        return None

    async def _steer(
        self, action: PauseAgent | ResumeAgent | StopAgent | AnswerAgent | TellAgent
    ) -> Event | None:
        """Perform an action on an attempt at work."""
        key, runner = self._key(action.task, action.attempt), self._ports.runner
        match action:
            case PauseAgent():
                if await runner.pause(key, gently=action.gently):
                    return AgentPaused(action.task, action.attempt)
            case ResumeAgent():
                if await runner.resume(key):
                    return AgentResumed(action.task, action.attempt)
            case StopAgent():
                if not self._supervisor.forestall(key):
                    await runner.stop(key, action.grace_seconds)
            case AnswerAgent():
                await runner.answer(key, action.request, action.verdict)
            case TellAgent():
                if not await runner.tell(key, action.text):
                    return Noticed(
                        f"{action.task} no longer accepts messages: yours was not delivered."
                    )
        return None

    def _failed(self, action: Action, why: str) -> Event:
        """Return the event of an action that failed unexpectedly."""
        detail = f"pex-tui itself failed: {why}"
        match action:
            case StartAgent() | AdoptAgent():
                now = self._ports.clock.now()
                failure = FailureKind.PREPARE
                return AgentExited(action.task, action.attempt, None, now, failure, detail)
            case CaptureWork():
                return CaptureFailed(action.task, action.attempt, detail)
            case MergeWork() | RunGate() | MoveBranch():
                return LandingFailed(action.task, action.attempt, detail)
            case LandRun():
                return RunLandRefused(detail)
            case GrantLock() | RefuseLock():
                return Noticed(f"a process that waits for a lock could not be answered: {why}")
            case _:
                asked = _ASKED[type(action)]
                return Noticed(f"{action.task} could not be {asked}: {detail}")

    def _key(self, task: TaskId, attempt: int) -> AttemptKey:
        return AttemptKey(self._run, task, attempt)

    def _answer_claim(self, action: GrantLock | RefuseLock) -> None:
        desk = self._ports.desk
        if desk is None:
            return
        if isinstance(action, GrantLock):
            desk.grant(action.claim)
        else:
            desk.refuse(action.claim, action.reason)

    async def _guard(self) -> None:
        """Restore the integration branch if an agent or a gate moved it, and report that."""
        for notice in await self._ports.lander.guard():
            self._post(Noticed(notice))

    async def _capture(self, state: RunState, action: CaptureWork) -> Event:
        key = self._key(action.task, action.attempt)
        try:
            captured = await self._ports.workspaces.capture(key, state.spec(action.task))
            earlier = state.task(action.task).earlier
            lacking = (
                captured.work is None
                and earlier is not None
                and await self._ports.lander.lacks(key, earlier)
            )
        except (WorkspaceError, LandingError) as error:
            gone = isinstance(error, WorkspaceGoneError)
            return CaptureFailed(action.task, action.attempt, str(error), gone, error.passing)
        return WorkCaptured(
            action.task,
            action.attempt,
            captured.work,
            captured.files,
            captured.drift,
            captured.trespass,
            captured.left_out,
            captured.markers,
            captured.oddities,
            captured.own_commits,
            captured.unlanded,
            captured.intrusions,
            lacking,
            captured.outputs,
        )

    async def _land(
        self, state: RunState, action: MergeWork | RunGate | MoveBranch
    ) -> Event | None:
        try:
            match action:
                case MergeWork():
                    return await self._merge(state, action)
                case RunGate():
                    return await self._gate(action)
                case MoveBranch():
                    return await self._move(action)
        except LandingError as error:
            return LandingFailed(action.task, action.attempt, str(error), error.passing)

    async def _merge(self, state: RunState, action: MergeWork) -> Event:
        key = self._key(action.task, action.attempt)
        merged = await self._ports.lander.merge(
            key,
            state.spec(action.task),
            action.work,
            onto=action.onto,
            auto_resolve=action.auto_resolve,
        )
        for notice in merged.notices:
            self._post(Noticed(notice))
        if isinstance(merged, Merged):
            return WorkMerged(
                action.task,
                action.attempt,
                merged.tip,
                merged.candidate,
                merged.combined,
                merged.against,
                action.onto,
                merged.protected,
            )
        if action.onto is not None:
            return MergeDeferred(action.task, action.attempt, action.onto)
        return MergeConflicted(
            action.task, action.attempt, merged.tip, merged.files, merged.against
        )

    async def _gate(self, action: RunGate) -> Event | None:
        key = self._key(action.task, action.attempt)
        result = await self._ports.lander.gate(key, action.commit)
        return (
            None
            if result.stopped
            else GateFinished(
                action.task,
                action.attempt,
                action.commit,
                result.passed,
                result.seconds,
                result.command,
                result.output,
            )
        )

    async def _move(self, action: MoveBranch) -> Event:
        key = self._key(action.task, action.attempt)
        moved = await self._ports.lander.move(key, action.old, action.new)
        if isinstance(moved, Moved):
            return BranchMoved(action.task, action.attempt, action.new)
        return BranchMoveRefused(action.task, action.attempt, moved.reason)

    async def _land_run(self, action: LandRun) -> Event:
        try:
            commit, detail = await self._ports.lander.land_run(action.target)
        except LandingError as error:
            return RunLandRefused(str(error), error.passing)
        return RunLanded(action.target, commit, detail)
