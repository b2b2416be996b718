"""Agents of every kind under shims: plain commands, and agents with a protocol."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pex_tui.adapters.agents.conversation import Conversation, hear_all
from pex_tui.adapters.agents.protocols.registry import machine_of
from pex_tui.adapters.agents.record import AgentRecord, read_agent_record
from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.adapters.sandbox.refusals import refused_write
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.core.model.task_state import Verdict
from pex_tui.engine.attempt import (
    AgentReport,
    AttemptKey,
    Exited,
    Launch,
    Started,
)
from pex_tui.engine.run_paths import RunPaths

_STALL_SECONDS = 600.0


class AgentsRunner:
    """The engine's agents; the record in an attempt's folder decides how an attempt is treated."""

    def __init__(
        self,
        places: RunPaths,
        *,
        stall_seconds: float | None = _STALL_SECONDS,
        now: Callable[[], float] = time.monotonic,
        clock: SystemClock | None = None,
        log_limit: int = 0,
    ) -> None:
        self._places = places
        self._shims = ShimRunner(places, clock or SystemClock(), log_limit=log_limit)
        self._stall_seconds = stall_seconds
        self._now = now
        self._talks: dict[AttemptKey, Conversation] = {}
        self._sandboxed: dict[AttemptKey, Launch] = {}  # plain commands that this engine started
        self._jobs: set[asyncio.Task[None]] = set()

    async def start(self, launch: Launch) -> Started:
        """Start an attempt and its conversation; raise LaunchError."""
        started = await self._shims.start(launch)
        record = self._record(launch.key)
        if record is not None:
            return self._talk(launch.key, record, started)
        if launch.sandbox is not None:
            self._sandboxed[launch.key] = launch
        return started

    async def adopt(self, key: AttemptKey, *, held: bool = False) -> Started | Exited | None:
        """Find what an earlier engine started, and continue the conversation with a live agent."""
        found = await self._shims.adopt(key)
        record = self._record(key)
        if found is None or record is None:
            return found
        if isinstance(found, Exited):
            return self._judged(key, record, found)
        return self._talk(key, record, found, held=held)

    async def wait(self, key: AttemptKey) -> Exited:
        """Return how the agent ended, once no process of the attempt is left."""
        exited = await self._shims.wait(key)
        await asyncio.sleep(0)  # whoever follows an agent that ends at once must start first
        talk = self._talks.pop(key, None)
        if talk is not None:
            return replace(exited, judgement=await talk.finish(exited))
        record = self._record(key)
        if record is not None:
            return self._judged(key, record, exited)
        launch = self._sandboxed.pop(key, None)
        if launch is None or launch.sandbox is None or not exited.exit_code:
            return exited
        output = self._places.output(key.run, key.task, key.attempt)
        workspace = Path(launch.env.get("PEX_WORKSPACE", launch.cwd))
        reason = await asyncio.to_thread(refused_write, launch.sandbox, output, workspace)
        return replace(exited, reason=reason)

    async def reports(self, key: AttemptKey) -> AsyncIterator[AgentReport]:
        """Yield what the attempt does, asks and spends."""
        talk = self._talks.get(key)
        source = self._shims.reports(key) if talk is None else talk.reports()
        async for report in source:
            yield report

    async def answer(self, key: AttemptKey, request: str, verdict: Verdict) -> None:
        """Answer a question of the attempt."""
        talk = self._talks.get(key)
        if talk is not None:
            await talk.answer(request, verdict)

    async def tell(self, key: AttemptKey, text: str) -> bool:
        """Send a message to a running agent; return False for a plain command."""
        talk = self._talks.get(key)
        return talk is not None and await talk.tell(text)

    async def pause(self, key: AttemptKey, *, gently: bool = False) -> bool:
        """Freeze the tree, or hold the agent at its next step."""
        talk = self._talks.get(key)
        if talk is not None and gently:
            return await talk.hold()
        frozen = await self._shims.pause(key)
        if talk is not None:
            talk.froze(frozen=frozen)
        return frozen

    async def resume(self, key: AttemptKey) -> bool:
        """Resume an agent that is held or frozen."""
        thawed = await self._shims.resume(key)
        talk = self._talks.get(key)
        if talk is not None:
            talk.froze(frozen=False)
            await talk.release()
        return thawed

    async def stop(self, key: AttemptKey, grace_seconds: float) -> None:
        """End the attempt, asking an agent first; return at once."""
        talk = self._talks.get(key)
        if talk is None:
            await self._shims.stop(key, grace_seconds)
        else:
            self._begin(self._end(key, talk, grace_seconds), f"end of {key.task}")

    def tell_through(self, say: Callable[[str], None]) -> None:
        """Use `say` for notices about processes."""
        self._shims.say = say

    async def close(self) -> None:
        """Let go of all attempts, which keep running."""
        for talk in self._talks.values():
            talk.close()
        self._talks.clear()
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await self._shims.close()

    async def _end(self, key: AttemptKey, talk: Conversation, grace_seconds: float) -> None:
        await talk.interrupt()
        await self._shims.stop(key, grace_seconds)

    def _talk(
        self, key: AttemptKey, record: AgentRecord, started: Started, *, held: bool = False
    ) -> Started:
        talk = Conversation(
            key,
            self._places.attempt(key.run, key.task, key.attempt),
            machine_of(record),
            self._shims,
            now=self._now,
            stall_seconds=self._stall_seconds,
            held=held,
        )
        self._talks[key] = talk
        self._begin(talk.run(), f"talk with {key.task}")
        return replace(started, listens=talk.listens)

    def _begin(self, job: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(job, name=name)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    def _record(self, key: AttemptKey) -> AgentRecord | None:
        return read_agent_record(self._places.attempt(key.run, key.task, key.attempt))

    def _judged(self, key: AttemptKey, record: AgentRecord, exited: Exited) -> Exited:
        machine = machine_of(record)
        spent = hear_all(self._places.attempt(key.run, key.task, key.attempt), machine)
        return replace(exited, judgement=machine.judge(exited), spent=spent)
