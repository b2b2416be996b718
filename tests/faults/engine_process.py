"""An engine in its own process, for tests that kill it: starts agents, reports, waits."""

import asyncio
import json
import sys
from pathlib import Path

from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.engine.attempt import AttemptKey, Launch
from pex_tui.engine.run_paths import RunPaths


def say(line: str) -> None:
    """Report to the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main() -> None:
    """Do what the JSON object on the command line asks for, then wait to be killed."""
    wish = json.loads(sys.argv[1])
    runner = ShimRunner(RunPaths(Path(wish["root"])), SystemClock())
    for name, argv in wish["agents"].items():
        key = AttemptKey(RunId(wish["run"]), TaskId(name), 1)
        env = {"PATH": wish["path"]}
        launch = Launch(key, tuple(argv), Path(wish["work"]), env, 10.0, speaks=wish["speaks"])
        started = await runner.start(launch)
        say(f"{name} {started.pid} {started.started_at}")
    key = AttemptKey(RunId(wish["run"]), TaskId(next(iter(wish["agents"]))), 1)
    for line in wish["say"]:
        await runner.send(key, line.encode())
    if wish["stop"] is not None:
        await runner.stop(key, wish["stop"])
    say("done")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
