"""Real attempts for tests: launched through a runner, with none left behind."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.process.records import StartRecord, read_start
from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.adapters.process.strays import end_strays
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.adapters.system.kernel import TABLE
from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.engine.attempt import AttemptKey, Launch, Started
from pex_tui.engine.run_paths import RunPaths

CLOCK = SystemClock()
RUN = RunId("7f3a")


class Attempts:
    """Launches programs as attempts below one state directory."""

    def __init__(self, root: Path) -> None:
        self.root = root / "state"
        self.work = root / "work"
        self.work.mkdir()
        self.places = RunPaths(self.root)
        self.runner = ShimRunner(self.places, CLOCK)

    def key(self, name: str) -> AttemptKey:
        return AttemptKey(RUN, TaskId(name), 1)

    def folder(self, name: str) -> Path:
        return self.places.attempt(RUN, TaskId(name), 1)

    def output(self, name: str) -> bytes:
        return (self.folder(name) / "output.log").read_bytes()

    def record(self, name: str) -> StartRecord:
        record = read_start(self.folder(name))
        assert record is not None
        return record

    def launch(
        self,
        name: str,
        *argv: str,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        speaks: bool = False,
        grace_seconds: float = 10.0,
    ) -> Launch:
        whole = {"PATH": os.environ["PATH"], **(env or {})}
        return Launch(self.key(name), argv, cwd or self.work, whole, grace_seconds, speaks)

    async def start(self, name: str, *argv: str, speaks: bool = False) -> Started:
        return await self.runner.start(self.launch(name, *argv, speaks=speaks))

    async def shell(self, name: str, script: str) -> Started:
        return await self.start(name, "sh", "-c", script)

    async def python(self, name: str, script: str, *, speaks: bool = False) -> Started:
        return await self.start(name, sys.executable, "-I", "-S", "-c", script, speaks=speaks)

    def pids(self, name: str) -> list[int]:
        """Return pids that a script wrote to the file `name`, one per line."""
        path = self.work / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def sweep(self) -> None:
        """End whatever a failed test left running."""
        for path in self.root.glob("runs/*/*/*/start.json"):
            record = read_start(path.parent)
            if record is not None and record.boot_id == TABLE.boot_id():
                shim = TABLE.stat(record.shim_pid)
                if shim is not None and shim.started == record.shim_started:
                    with suppress(ProcessLookupError):  # it exits by itself
                        os.kill(record.shim_pid, 9)
                end_strays(record, path.parent / "output.log")


def lives(pid: int) -> bool:
    stat = TABLE.stat(pid)
    return stat is not None and not stat.is_dead
