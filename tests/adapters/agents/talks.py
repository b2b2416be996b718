"""Conversations with scripted agents for tests: real processes under real shims."""

import asyncio
import sys
from pathlib import Path

from pex_tui.adapters.agents.record import AgentRecord, write_agent_record
from pex_tui.adapters.agents.runner import AgentsRunner
from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.model.plan import PermissionMode
from pex_tui.engine.attempt import AgentReport, AttemptKey, Exited, Launch, Progress, Started
from pex_tui.engine.run_paths import RunPaths
from tests.waiting import PATIENCE_SECONDS

HERE = Path(__file__).parent
PROGRAMS = {"claude": "scripted_claude.py", "acp": "scripted_acp.py"}
SESSION = "0b6c1c1e-0000-4000-8000-000000000001"


class Talks:
    """Scripted agents below one state directory."""

    def __init__(self, root: Path, stall_seconds: float | None = None) -> None:
        self.root = root
        self.work = root / "work"
        self.work.mkdir(exist_ok=True)
        self.places = RunPaths(root / "state")
        self.runner = AgentsRunner(self.places, stall_seconds=stall_seconds)
        self.reports: list[AgentReport] = []
        self._relays: list[asyncio.Task[None]] = []

    def key(self, name: str = "one", attempt: int = 1) -> AttemptKey:
        return AttemptKey(RunId("7f3a"), TaskId(name), attempt)

    def folder(self, key: AttemptKey) -> Path:
        return self.places.attempt(key.run, key.task, key.attempt)

    def transcript(self, key: AttemptKey) -> str:
        return (self.folder(key) / "transcript.log").read_text(encoding="utf-8")

    def made(self, name: str) -> Path:
        return self.work / name

    async def start(
        self,
        talk: str,
        play: str,
        *,
        resumes: bool = False,
        mode: PermissionMode = PermissionMode.EDITS,
        cost_before: float = 0.0,
    ) -> Started:
        """Start an agent that plays that script."""
        key = self.key()
        record = AgentRecord(
            talk=talk,
            attempt=1,
            cwd=str(self.work),
            prompt="Go on." if resumes else "Do it.",
            fresh_prompt="Do it, taught.",
            session=SESSION,
            resumes=resumes,
            mode=mode,
            cost_before=cost_before,
        )
        write_agent_record(self.folder(key), record)
        argv = (sys.executable, str(HERE / PROGRAMS[talk]), play)
        started = await self.runner.start(Launch(key, argv, self.work, {}, 2.0, speaks=True))
        self.listen()
        return started

    def listen(self) -> None:
        """Collect the reports of the attempt."""
        self._relays.append(asyncio.create_task(self._relay()))

    async def end(self) -> Exited:
        """Wait for the attempt's end, and for its last report."""
        exited = await self.runner.wait(self.key())
        await asyncio.wait(self._relays, timeout=PATIENCE_SECONDS)
        return exited

    async def play(self, talk: str, play: str) -> Exited:
        """Play a whole script."""
        await self.start(talk, play)
        return await self.end()

    def told(self, kind: type[AgentReport]) -> list[AgentReport]:
        """Return the reports of one kind."""
        return [report for report in self.reports if isinstance(report, kind)]

    @property
    def progress(self) -> Progress:
        """Return the latest progress."""
        (*_, last) = (report for report in self.reports if isinstance(report, Progress))
        return last

    async def _relay(self) -> None:
        async for report in self.runner.reports(self.key()):
            self.reports.append(report)
