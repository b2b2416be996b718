"""One attempt at a time in a workspace, whichever process is stopped, slow or killed."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pex_tui.adapters.process import fence, launcher, runner
from pex_tui.adapters.process.fence import give_up, read_fence
from pex_tui.adapters.process.records import ALIVE_LOCK, START
from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.adapters.system.kernel import TABLE, Stat, send_signal
from pex_tui.engine.attempt import LaunchError, Started
from tests.adapters.process.runs import CLOCK, Attempts, lives
from tests.waiting import until

pytestmark = pytest.mark.faults

FOREVER = "while :; do sleep 1; done"
HOLDER = """
import fcntl, os, signal, sys
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
print(flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


def removed(folder: Path) -> bool:
    """Remove the folder; return whether it is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def spares(attempts: Attempts) -> list[psutil.Process]:
    """Return the shims that wait for a launch."""
    pid = attempts.runner.launcher_pid
    assert pid is not None
    found = []
    for child in psutil.Process(pid).children():
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            found += [child] if child.cmdline()[:1] == [sys.executable] else []
    return found


async def launched(attempts: Attempts) -> int:
    """Return the pid of a launcher that has started something."""
    await attempts.start("first", "true")
    await attempts.runner.wait(attempts.key("first"))
    assert attempts.runner.launcher_pid is not None
    return attempts.runner.launcher_pid


async def test_a_stopped_launcher_is_woken_and_starts_once(attempts: Attempts) -> None:
    pid = await launched(attempts)
    os.kill(pid, signal.SIGSTOP)
    assert isinstance(await attempts.shell("one", "echo once"), Started)
    await attempts.runner.wait(attempts.key("one"))
    assert attempts.runner.launcher_pid == pid
    assert attempts.output("one") == b"once\n"


async def test_a_shim_that_was_stopped_before_its_launch_never_starts_it_late(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "_LAUNCH_SECONDS", 1.0)
    pid = await launched(attempts)
    await until(lambda: len(spares(attempts)) == 1)
    (spare,) = spares(attempts)
    spare.send_signal(signal.SIGSTOP)
    await attempts.shell("one", "echo once")
    assert attempts.runner.launcher_pid != pid
    with suppress(psutil.NoSuchProcess):
        spare.send_signal(signal.SIGCONT)
    await until(lambda: not lives(spare.pid))
    await attempts.runner.wait(attempts.key("one"))
    assert attempts.output("one") == b"once\n"


async def test_a_start_that_is_called_off_never_comes_late(attempts: Attempts) -> None:
    await launched(attempts)
    await until(lambda: len(spares(attempts)) == 1)
    (spare,) = spares(attempts)
    spare.send_signal(signal.SIGSTOP)
    starting = asyncio.create_task(attempts.shell("one", "echo late"))
    await until(lambda: attempts.key("one") in attempts.runner._starting)
    await attempts.runner.stop(attempts.key("one"), 1.0)
    spare.send_signal(signal.SIGCONT)
    with pytest.raises(LaunchError, match="given up before it could start"):
        await starting
    assert await attempts.runner.adopt(attempts.key("one")) is None
    assert not (attempts.folder("one") / START).exists()


async def test_what_the_next_engine_did_not_find_can_start_no_more(attempts: Attempts) -> None:
    await launched(attempts)
    late = attempts.runner._request(attempts.launch("one", "true"), attempts.folder("one"))
    assert await attempts.runner.adopt(attempts.key("one")) is None
    with pytest.raises(LaunchError, match="given up before it could start"):
        await attempts.runner._launcher.launch(late)
    await attempts.start("one", "true")
    assert (await attempts.runner.wait(attempts.key("one"))).exit_code == 0


def test_a_shim_that_is_stopped_between_its_lock_and_its_record_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "_PATIENCE_SECONDS", 0.1)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / ALIVE_LOCK)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert give_up(tmp_path) is None
        assert holder.wait() == -signal.SIGKILL
    assert read_fence(tmp_path) == 1


async def test_what_runs_is_never_given_up(attempts: Attempts) -> None:
    await attempts.shell("one", FOREVER)
    assert give_up(attempts.folder("one")) == attempts.record("one")
    assert lives(attempts.record("one").root_pid)
    assert read_fence(attempts.folder("one")) == 0


async def test_a_stopped_shim_is_noticed_and_goes_on(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_GUARD_SECONDS", 0.01)
    said: list[str] = []
    attempts.runner.say = said.append
    script = "until [ -e go ]; do sleep 0.01; done; kill -STOP $PPID; exit 3"
    await attempts.shell("one", script)
    (attempts.work / "go").touch()
    ended = await attempts.runner.wait(attempts.key("one"))
    assert (ended.exit_code, ended.lost) == (3, False)
    assert said == [
        "The process that looks after one was stopped by somebody; it was told to go on."
    ]


async def test_a_shim_that_is_stopped_at_once_costs_no_start(attempts: Attempts) -> None:
    await attempts.shell("one", "kill -STOP $PPID; exit 3")
    assert (await attempts.runner.wait(attempts.key("one"))).exit_code == 3


async def test_a_shim_that_never_gets_to_end_its_tree_is_ended_itself(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_STUCK_SECONDS", 0.2)
    monkeypatch.setattr("pex_tui.adapters.process.client.PATIENCE_SECONDS", 0.2)
    await attempts.shell("one", f"echo $$ > pids; trap '' TERM; {FOREVER}")
    await until(lambda: len(attempts.pids("pids")) == 1)
    monkeypatch.setattr(runner, "wake", lambda _: False)
    monkeypatch.setattr(runner, "send_signal", _no_waking)
    os.kill(attempts.record("one").shim_pid, signal.SIGSTOP)
    await attempts.runner.stop(attempts.key("one"), 0.0)
    ended = await attempts.runner.wait(attempts.key("one"))
    assert ended.lost
    await until(lambda: not lives(attempts.pids("pids")[0]))


def _no_waking(pid: int, number: int, stat: Stat) -> bool:
    """Keep a woken shim from getting anywhere."""
    return number == signal.SIGKILL and send_signal(pid, number, stat)


CLEAN = "setsid env -i sleep 1000 </dev/null >/dev/null 2>&1 & echo $! > pids"


async def test_an_agent_that_kills_its_shim_leaves_nothing(attempts: Attempts) -> None:
    await attempts.shell("one", f"{CLEAN}; kill -9 $PPID; {FOREVER}")
    ended = await attempts.runner.wait(attempts.key("one"))
    assert ended.lost
    assert not lives(attempts.pids("pids")[0])
    assert not lives(attempts.record("one").root_pid)


async def test_an_agent_that_kills_its_shim_at_once_holds_no_start_up(attempts: Attempts) -> None:
    pid = await launched(attempts)
    with suppress(LaunchError):
        await attempts.shell("one", f"{CLEAN}; kill -9 $PPID; {FOREVER}")
        assert (await attempts.runner.wait(attempts.key("one"))).lost
    assert attempts.runner.launcher_pid == pid
    assert not any(map(lives, attempts.pids("pids")))


async def test_a_killed_shim_leaves_nothing_when_its_engine_is_gone(attempts: Attempts) -> None:
    await attempts.shell("one", f"{CLEAN}; {FOREVER}")
    await until(lambda: len(attempts.pids("pids")) == 1)
    first = attempts.runner.launcher_pid
    assert first is not None
    await attempts.runner.close()
    attempts.runner = ShimRunner(attempts.places, CLOCK)
    os.kill(attempts.record("one").shim_pid, signal.SIGKILL)
    await until(lambda: not lives(attempts.pids("pids")[0]))
    await until(lambda: not lives(first))  # it had no more shims
    ended = await attempts.runner.adopt(attempts.key("one"))
    assert not isinstance(ended, Started)


async def test_without_its_launcher_a_stray_is_known_by_the_log_it_writes(
    attempts: Attempts,
) -> None:
    await attempts.shell("one", f"setsid env -i sleep 1000 & echo $! > pids; {FOREVER}")
    await until(lambda: len(attempts.pids("pids")) == 1)
    with (attempts.folder("one") / "output.log").open("rb"):  # a reader is left alone
        assert attempts.runner.launcher_pid is not None
        os.kill(attempts.runner.launcher_pid, signal.SIGKILL)
        await until(lambda: not lives(attempts.runner.launcher_pid or 0))
        os.kill(attempts.record("one").shim_pid, signal.SIGKILL)
        assert (await attempts.runner.wait(attempts.key("one"))).lost
    assert not lives(attempts.pids("pids")[0])


async def test_an_attempt_whose_folder_is_gone_is_ended_before_it_counts_as_never_started(
    attempts: Attempts,
) -> None:
    key = attempts.key("one")
    launch = attempts.launch("one", "sh", "-c", f"echo $$ > pids; {FOREVER}")
    named = {"PEX_RUN": key.run, "PEX_TASK": key.task, "PEX_ATTEMPT": str(key.attempt)}
    launch.env.update(named)
    await attempts.runner.start(launch)
    await until(lambda: len(attempts.pids("pids")) == 1)
    shim = attempts.record("one").shim_pid
    await attempts.runner.close()
    await until(lambda: removed(attempts.folder("one")))  # its shim may write meanwhile
    attempts.runner = ShimRunner(attempts.places, CLOCK)
    assert await attempts.runner.adopt(key) is None
    assert not lives(attempts.pids("pids")[0])
    await until(lambda: TABLE.stat(shim) is None or not lives(shim))
