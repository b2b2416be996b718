"""The life of one attempt from its workspace to its last process, as a job in a slot."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from msgspec import Struct

from pex_tui.core.events.actions import AdoptAgent, StartAgent
from pex_tui.core.events.agent_events import AgentLimited, AgentSpent, PermissionAsked
from pex_tui.core.events.run_events import (
    AgentExited,
    AgentProgressed,
    AgentStarted,
    AttemptReturned,
    Event,
    Noticed,
    WorkspacePrepared,
)
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import FailureKind
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import (
    AgentReport,
    Asked,
    AttemptKey,
    Exited,
    LaunchError,
    Limited,
    Progress,
    Spent,
    Started,
)
from pex_tui.engine.contained import Advisor, contained, in_words
from pex_tui.engine.ports import Ports, SlotPool, Workspace, WorkspaceError

_LAST_WORDS_SECONDS = 0.5  # for reports from just before the attempt's end
_CRASHED = 70  # sysexits' EX_SOFTWARE: a failure of the job itself, not of the agent


class _Report(Struct):
    """An event to be posted once the slot is free."""

    event: Event | None = None


class Supervisor:
    """Runs attempts in slots; an attempt's last event follows the release of its slot."""

    def __init__(self, run: RunId, ports: Ports, post: Callable[[Event], None]) -> None:
        self._run = run
        self._ports = ports
        self._post = post
        self._preparing: dict[AttemptKey, asyncio.Task[Workspace]] = {}

    def forestall(self, key: AttemptKey) -> bool:
        """Stop an attempt whose workspace is being prepared; return False if it is further on."""
        preparing = self._preparing.get(key)
        return preparing is not None and preparing.cancel()

    async def start(self, pool: SlotPool, state: RunState, action: StartAgent) -> None:
        """Prepare and start the attempt, and follow it to its end."""
        await self._supervise(pool, action, lambda: self._started(state, action))

    async def adopt(self, pool: SlotPool, action: AdoptAgent) -> None:
        """Find an attempt of an earlier engine and follow it to its end."""
        await self._supervise(pool, action, lambda: self._adopted(action))

    async def _supervise(
        self,
        pool: SlotPool,
        action: StartAgent | AdoptAgent,
        live: Callable[[], Coroutine[Any, Any, Event]],
    ) -> None:
        report = _Report()

        async def job() -> int:
            try:
                report.event = await live()
            except LaunchError as error:
                kind = FailureKind.LAUNCH if error.permanent else FailureKind.PREPARE
                report.event = self._failed(action, kind, str(error))
            except WorkspaceError as error:
                report.event = self._failed(action, FailureKind.PREPARE, str(error))
            except Exception as error:  # noqa: BLE001  # a crash here is a failed attempt
                self._ports.log(error)
                await self._end(action)
                detail = f"pex-tui could not run it: {in_words(error)}"
                report.event = self._failed(action, FailureKind.PREPARE, detail)
            code = report.event.exit_code if isinstance(report.event, AgentExited) else None
            return _CRASHED if code is None else code

        await pool.run(action.slot, action.task, job)
        if report.event is not None:
            self._post(report.event)

    async def _end(self, action: StartAgent | AdoptAgent) -> None:
        """End everything of a failed attempt in its workspace."""
        stopping = self._ports.runner.stop(AttemptKey(self._run, action.task, action.attempt), 0.0)
        await contained(stopping, lambda _: None, self._ports.log)

    async def _started(self, state: RunState, action: StartAgent) -> Event:
        key = AttemptKey(self._run, action.task, action.attempt)
        spec = state.spec(action.task)
        commit = state.tip or state.base
        task = state.task(action.task)
        near = Path(task.near) if task.near else None
        workspace = await self._prepared(
            key, self._ports.workspaces.prepare(key, spec, commit, task.seed, near)
        )
        if workspace is None:
            reason = "it was stopped before it could start"
            return AttemptReturned(action.task, action.attempt, reason)
        self._post(
            WorkspacePrepared(action.task, action.attempt, str(workspace.path), workspace.commit)
        )
        launch = self._ports.launches.build(key, spec, action.slot, workspace, task.lesson)
        return await self._live(key, action, await self._ports.runner.start(launch))

    async def _prepared(
        self, key: AttemptKey, job: Coroutine[Any, Any, Workspace]
    ) -> Workspace | None:
        """Return the workspace; None when the attempt was stopped before it was ready."""
        preparing = asyncio.create_task(job, name=f"workspace of {key.task}")
        self._preparing[key] = preparing
        try:
            return await preparing
        except asyncio.CancelledError:
            ourselves = asyncio.current_task()
            if ourselves is None or ourselves.cancelling():
                raise  # the engine is releasing everything
            return None
        finally:
            del self._preparing[key]

    async def _adopted(self, action: AdoptAgent) -> Event:
        key = AttemptKey(self._run, action.task, action.attempt)
        found = await self._ports.runner.adopt(key, held=action.held)
        if found is None:
            return AttemptReturned(
                action.task, action.attempt, "its engine ended before it could start"
            )
        if isinstance(found, Exited):
            for spent in found.spent:
                self._post(_as_event(key, spent))
            return _exit_event(action, found)
        return await self._live(key, action, found)

    async def _live(
        self, key: AttemptKey, action: StartAgent | AdoptAgent, started: Started
    ) -> Event:
        self._post(
            AgentStarted(
                action.task,
                action.attempt,
                action.slot,
                started.pid,
                started.started_at,
                started.listens,
                started.tier,
            )
        )
        relay = asyncio.create_task(self._relay(key), name=f"progress of {key.task}")
        try:
            exited = await self._ports.runner.wait(key)
            await asyncio.wait([relay], timeout=_LAST_WORDS_SECONDS)
            return _exit_event(action, exited)
        finally:
            relay.cancel()
            await asyncio.gather(relay, return_exceptions=True)

    async def _relay(self, key: AttemptKey) -> None:
        advisor = Advisor(
            f"Following {key.task}", lambda text: self._post(Noticed(text)), self._ports.log
        )
        await advisor.keep(lambda: self._hear(key), self._ports.clock.sleep)

    async def _hear(self, key: AttemptKey) -> None:
        async for report in self._ports.runner.reports(key):
            self._post(_as_event(key, report))

    def _failed(
        self, action: StartAgent | AdoptAgent, kind: FailureKind, detail: str
    ) -> AgentExited:
        now = self._ports.clock.now()
        return AgentExited(action.task, action.attempt, None, now, kind, detail)


def _as_event(key: AttemptKey, report: AgentReport) -> Event:
    match report:
        case Progress():
            return AgentProgressed(key.task, key.attempt, report.fraction, report.activity)
        case Asked():
            return PermissionAsked(
                key.task,
                key.attempt,
                report.request,
                report.tool,
                report.title,
                report.touches,
                report.scope,
                report.edits,
                report.announced,
            )
        case Spent():
            return AgentSpent(key.task, key.attempt, report.tokens, report.cost_usd, report.number)
        case Limited():
            return AgentLimited(key.task, key.attempt, report.wait_seconds, report.detail)


def _exit_event(action: StartAgent | AdoptAgent, exited: Exited) -> AgentExited:
    kind, detail = _verdict(exited)
    return AgentExited(
        action.task,
        action.attempt,
        exited.exit_code,
        exited.exited_at,
        kind,
        detail,
        exited.peak_bytes,
        exited.cpu_seconds,
    )


def _verdict(exited: Exited) -> tuple[FailureKind | None, str]:
    if exited.breach is not None:
        if exited.breach.is_the_machines:
            return FailureKind.MEMORY, exited.breach.words
        is_memory = exited.breach.subject == "memory"
        kind = FailureKind.OVER_MEMORY if is_memory else FailureKind.OVER_LIMIT
        return kind, exited.breach.words
    if exited.judgement is not None:
        return exited.judgement.failure, clean(exited.judgement.detail)
    if exited.lost:
        return FailureKind.LOST, exited.reason or "its process vanished without a record"
    if exited.signal is not None:
        return FailureKind.SIGNAL, f"ended by {_signal_name(exited.signal)}"
    if exited.exit_code:
        reason = f": {clean(exited.reason)}" if exited.reason else ""
        return FailureKind.EXIT, f"exit {exited.exit_code}{reason}"
    return None, ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
