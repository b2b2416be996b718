"""Ask an agent something outside of any run: it may only read, and its last message is the answer.

Each further question is another attempt of the same task, which continues the session.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from secrets import token_hex

from msgspec import Struct

from pex_tui.adapters.agents.conversation import hear_all
from pex_tui.adapters.agents.launches import AgentLaunches
from pex_tui.adapters.agents.protocols.registry import machine_of
from pex_tui.adapters.agents.record import read_agent_record
from pex_tui.adapters.agents.runner import AgentsRunner
from pex_tui.adapters.git.plumbing.filesystem import remove_tree
from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.adapters.storage.engine_lock import EngineBusyError, EngineLock
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.core.formatting import total
from pex_tui.core.model.ids import RunId, SlotId, TaskId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import (
    Asked,
    AttemptKey,
    Exited,
    Judgement,
    LaunchError,
    Limited,
    Progress,
    Started,
)
from pex_tui.engine.ports import Workspace
from pex_tui.engine.run_paths import RunPaths

_RUN, _SLOT = RunId("goal"), SlotId(1)
_PATIENCE_SECONDS = 30.0  # while a model provider refuses requests
_GRACE_SECONDS = 1.0


class Reply(Struct, frozen=True):
    """The agent's last message, how the agent ended, and what its model used."""

    words: str
    judgement: Judgement
    tokens: int = 0
    cost_usd: float | None = None


class Consultation:
    """A conversation with one agent; `tell` is called with each thing that the agent does."""

    def __init__(
        self,
        runner: AgentsRunner,
        launches: AgentLaunches,
        spec: TaskSpec,
        workspace: Workspace,
        tell: Callable[[str], None],
    ) -> None:
        self._runner = runner
        self._launches = launches
        self._spec = spec
        self._workspace = workspace
        self._tell = tell
        self._limit = ""
        self.rounds = 0

    async def ask(self, lesson: str = "") -> Reply:
        """Ask, or say what was wrong with the last answer; raise LaunchError.

        No process of the agent is left afterwards, whatever the outcome.
        """
        self.rounds += 1
        key = AttemptKey(_RUN, self._spec.id, self.rounds)
        launch = self._launches.build(key, self._spec, _SLOT, self._workspace, lesson)
        is_known = has_ended = False
        try:
            await self._runner.start(launch)
            is_known = True
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(key))
                exited = await self._runner.wait(key)
            has_ended = True
        finally:
            if not has_ended:
                await asyncio.shield(self._end(key, is_known=is_known))
        return self._reply(key, exited)

    async def _listen(self, key: AttemptKey) -> None:
        """Follow the agent, and deny all that it asks for: nobody is there to allow anything."""
        async for report in self._runner.reports(key):
            match report:
                case Asked():
                    await self._runner.answer(key, report.request, Verdict.DENY)
                case Progress() if report.activity.strip(" `\n"):
                    self._tell(clean(report.activity))
                case Limited() if (report.wait_seconds or _PATIENCE_SECONDS) >= _PATIENCE_SECONDS:
                    self._limit = report.detail
                    await self._runner.stop(key, _GRACE_SECONDS)
                case _:
                    pass

    async def _end(self, key: AttemptKey, *, is_known: bool) -> None:
        with suppress(LaunchError):
            if not is_known:  # the start was cut short
                await self._runner.adopt(key)
            await self._runner.stop(key, _GRACE_SECONDS)
            await self._runner.wait(key)

    def _reply(self, key: AttemptKey, exited: Exited) -> Reply:
        folder = self._launches.places.attempt(key.run, key.task, key.attempt)
        record = read_agent_record(folder)
        judgement = exited.judgement
        if self._limit:
            judgement = Judgement(FailureKind.LIMIT, self._limit)
        if record is None or judgement is None:
            return Reply("", Judgement(FailureKind.LOST, "its records are gone"))
        machine = machine_of(record)
        spent = hear_all(folder, machine)
        tokens = sum(one.tokens for one in spent)
        return Reply(machine.last_words, judgement, tokens, total(one.cost_usd for one in spent))


@asynccontextmanager
async def passing_places(folder: Path) -> AsyncIterator[RunPaths]:
    """Provide a temporary state directory in the folder; raise OSError or LaunchError.

    What a killed process left in the folder is removed first, its agents included.
    """
    for left in await asyncio.to_thread(_locks_in, folder):
        await _sweep(left)
    root = folder / token_hex(4)
    lock = EngineLock(root.with_suffix(".lock"))
    lock.acquire()
    try:
        root.mkdir(mode=0o700)
        yield RunPaths(root)
    finally:
        remove_tree(root)
        lock.release(removes=True)


def _locks_in(folder: Path) -> list[Path]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return list(folder.glob("*.lock"))


async def _sweep(path: Path) -> None:
    lock = EngineLock(path)
    try:
        lock.acquire()
    except EngineBusyError:
        return  # the process that made it is alive
    root = path.with_suffix("")
    shims = ShimRunner(RunPaths(root), SystemClock())
    try:
        for attempt in RunPaths(root).run(_RUN).glob("*/*/start.json"):
            key = AttemptKey(_RUN, TaskId(attempt.parent.parent.name), int(attempt.parent.name))
            if isinstance(await shims.adopt(key), Started):
                await shims.stop(key, _GRACE_SECONDS)
                await shims.wait(key)
    finally:
        await shims.close()
        remove_tree(root)
        lock.release(removes=True)
