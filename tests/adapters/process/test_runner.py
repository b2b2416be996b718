"""The runner: attempts start, report, freeze, continue and end as the port specifies."""

import asyncio
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.adapters.system.kernel import TABLE
from pex_tui.engine.attempt import (
    Exited,
    LaunchError,
    Progress,
    Started,
)
from tests.adapters.process.runs import CLOCK, Attempts, lives
from tests.waiting import until

FOREVER = "while :; do sleep 1; done"
SPEAKER = (
    "import sys\n"
    "for line in sys.stdin:\n"
    "    print('heard', line.strip(), flush=True)\n"
    "print('bye', flush=True)\n"
)


async def test_an_attempt_leaves_its_exit_code_and_its_output(attempts: Attempts) -> None:
    started = await attempts.shell("one", "echo out; echo err >&2; exit 7")
    ended = await attempts.runner.wait(attempts.key("one"))
    assert (ended.exit_code, ended.signal, ended.lost) == (7, None, False)
    assert ended.started_at == started.started_at <= ended.exited_at <= time.time()
    assert attempts.output("one") == b"out\nerr\n"


async def test_a_signal_is_told_apart_from_an_exit_code(attempts: Attempts) -> None:
    await attempts.shell("one", "kill -SEGV $$")
    ended = await attempts.runner.wait(attempts.key("one"))
    assert (ended.exit_code, ended.signal) == (None, signal.SIGSEGV)


async def test_the_program_gets_its_folder_its_environment_and_nothing_else(
    attempts: Attempts,
) -> None:
    script = "pwd; env | sort | grep -v -e PWD -e _= -e PEX_TREE -e PATH; exec ls /proc/self/fd"
    await attempts.runner.start(attempts.launch("one", "sh", "-c", script, env={"A": "é\udcff"}))
    await attempts.runner.wait(attempts.key("one"))
    folder, *variables = attempts.output("one").splitlines()
    assert folder == os.fsencode(attempts.work)
    assert variables == [b"A=\xc3\xa9\xff", b"0", b"1", b"2", b"3"]  # 3 is ls's own


async def test_signals_have_their_default_meaning_in_the_program(attempts: Attempts) -> None:
    await attempts.shell("one", "cat /proc/self/status")
    await attempts.runner.wait(attempts.key("one"))
    fields = dict(line.split(b":", 1) for line in attempts.output("one").splitlines())
    assert [int(fields[name], 16) for name in (b"SigIgn", b"SigBlk", b"SigCgt")] == [0, 0, 0]


@pytest.fixture
def odd_signals() -> Iterator[None]:
    """Signal settings that tmux, nohup and others leave to their children."""
    ignored = (signal.SIGTTIN, signal.SIGTTOU, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR2)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGWINCH})
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("odd_signals")
async def test_an_agent_neither_ignores_nor_blocks_what_its_engine_does(attempts: Attempts) -> None:
    await attempts.shell("one", "grep -E '^Sig(Blk|Ign)' /proc/self/status")
    await attempts.runner.wait(attempts.key("one"))
    assert attempts.output("one").split() == [b"SigBlk:", b"0" * 16, b"SigIgn:", b"0" * 16]


async def test_reading_stdin_or_the_terminal_ends_at_once(attempts: Attempts) -> None:
    await attempts.shell("one", "cat; read line < /dev/tty || echo no terminal")
    ended = await attempts.runner.wait(attempts.key("one"))
    assert ended.exit_code == 0
    assert attempts.output("one").endswith(b"no terminal\n")


async def test_records_and_logs_are_the_users_alone(attempts: Attempts) -> None:
    await attempts.start("one", "true")
    await attempts.runner.wait(attempts.key("one"))
    await until((attempts.folder("one") / "exit.json").exists)
    files = list(attempts.folder("one").iterdir())
    assert {file.name for file in files} == {"alive.lock", "exit.json", "output.log", "start.json"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not Path(attempts.record("one").control).exists()


async def test_a_second_start_of_an_attempt_is_refused(attempts: Attempts) -> None:
    await attempts.start("one", "true")
    with pytest.raises(LaunchError, match="this attempt"):
        await attempts.start("one", "true")
    await attempts.runner.wait(attempts.key("one"))
    with pytest.raises(LaunchError, match="this attempt"):  # its launcher may still be exiting
        await attempts.start("one", "true")


async def test_an_attempt_that_never_started_is_not_adopted(attempts: Attempts) -> None:
    assert await attempts.runner.adopt(attempts.key("none")) is None
    with pytest.raises(LaunchError, match="never started"):
        await attempts.runner.wait(attempts.key("none"))


async def test_an_attempt_that_could_not_start_leaves_no_record(attempts: Attempts) -> None:
    with pytest.raises(LaunchError):
        await attempts.start("one", "no-such-program")
    assert await attempts.runner.adopt(attempts.key("one")) is None
    assert await attempts.start("one", "true")


async def test_a_closed_runner_leaves_its_attempts_to_the_next(attempts: Attempts) -> None:
    started = await attempts.shell("live", FOREVER)
    await attempts.shell("ended", "exit 3")
    await attempts.runner.wait(attempts.key("ended"))
    await until(lambda: not lives(attempts.record("ended").shim_pid))
    await attempts.runner.close()
    attempts.runner = ShimRunner(attempts.places, CLOCK)
    assert await attempts.runner.adopt(attempts.key("live")) == started
    ended = await attempts.runner.adopt(attempts.key("ended"))
    assert isinstance(ended, Exited)
    assert ended.exit_code == 3
    await attempts.runner.stop(attempts.key("live"), 5.0)
    assert (await attempts.runner.wait(attempts.key("live"))).signal == signal.SIGTERM


async def test_waiting_adopts_what_an_earlier_runner_started(attempts: Attempts) -> None:
    await attempts.shell("one", "exit 4")
    await attempts.runner.close()
    attempts.runner = ShimRunner(attempts.places, CLOCK)
    assert (await attempts.runner.wait(attempts.key("one"))).exit_code == 4


async def test_a_launcher_that_died_is_replaced(attempts: Attempts) -> None:
    await attempts.shell("before", FOREVER)
    first = attempts.runner.launcher_pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await attempts.start("after", "true")
    assert (await attempts.runner.wait(attempts.key("after"))).exit_code == 0
    assert attempts.runner.launcher_pid != first
    await attempts.runner.stop(attempts.key("before"), 5.0)
    assert (await attempts.runner.wait(attempts.key("before"))).signal == signal.SIGTERM


async def test_the_shim_that_waits_for_the_next_launch_may_be_ended(attempts: Attempts) -> None:
    await attempts.start("first", "true")
    await attempts.runner.wait(attempts.key("first"))
    spares = _waiting_shims(attempts.runner)
    for spare in spares:
        with suppress(psutil.NoSuchProcess):
            spare.kill()
    await until(lambda: not any(spare.is_running() for spare in spares))
    await attempts.start("second", "true")
    assert (await attempts.runner.wait(attempts.key("second"))).exit_code == 0


async def test_the_shim_that_waits_for_the_next_launch_ends_with_the_launcher(
    attempts: Attempts,
) -> None:
    await attempts.shell("lives", FOREVER)
    await until(lambda: len(_waiting_shims(attempts.runner)) == 1)
    spares = _waiting_shims(attempts.runner)
    assert attempts.runner.launcher_pid is not None
    os.kill(attempts.runner.launcher_pid, signal.SIGKILL)
    await until(lambda: not any(spare.is_running() for spare in spares))
    await attempts.runner.stop(attempts.key("lives"), 5.0)
    assert (await attempts.runner.wait(attempts.key("lives"))).signal == signal.SIGTERM


async def test_a_launch_whose_launcher_died_is_made_once_by_the_next(attempts: Attempts) -> None:
    await attempts.start("first", "true")
    launcher = attempts.runner.launcher_pid
    assert launcher is not None
    os.kill(launcher, signal.SIGSTOP)
    launching = asyncio.create_task(attempts.shell("one", "echo once"))
    await asyncio.sleep(0)  # the request is on its way to a dead launcher
    os.kill(launcher, signal.SIGKILL)
    assert isinstance(await launching, Started)
    await attempts.runner.wait(attempts.key("one"))
    assert attempts.output("one") == b"once\n"


async def test_a_frozen_tree_stands_still_until_it_is_resumed(attempts: Attempts) -> None:
    await attempts.shell("one", f"({FOREVER}) & (setsid sh -c '{FOREVER}') & {FOREVER}")
    key = attempts.key("one")
    shim = attempts.record("one").shim_pid
    await until(lambda: len(_tree(shim)) >= 6)
    assert await attempts.runner.pause(key)
    assert set(_states(shim)) <= {"T", "D"}  # D: vforked, until its child executes
    assert await attempts.runner.pause(key)
    assert await attempts.runner.resume(key)
    assert "T" not in _states(shim)
    await attempts.runner.stop(key, 5.0)
    await attempts.runner.wait(key)
    assert not await attempts.runner.pause(key)
    assert not await attempts.runner.resume(key)


async def test_orders_for_an_unknown_attempt_do_nothing(attempts: Attempts) -> None:
    key = attempts.key("none")
    assert not await attempts.runner.pause(key)
    assert not await attempts.runner.send(key, b"x")
    await attempts.runner.stop(key, 1.0)
    assert [seen async for seen in attempts.runner.reports(key)] == []


async def test_a_removed_control_socket_comes_back(attempts: Attempts) -> None:
    await attempts.shell("one", FOREVER)
    Path(attempts.record("one").control).unlink()
    assert await attempts.runner.pause(attempts.key("one"))
    await attempts.runner.stop(attempts.key("one"), 5.0)
    assert (await attempts.runner.wait(attempts.key("one"))).signal == signal.SIGTERM


async def test_a_stopped_shim_is_woken_to_end_its_tree(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pex_tui.adapters.process.client.PATIENCE_SECONDS", 0.2)
    await attempts.shell("one", FOREVER)
    os.kill(attempts.record("one").shim_pid, signal.SIGSTOP)
    await attempts.runner.stop(attempts.key("one"), 5.0)
    assert (await attempts.runner.wait(attempts.key("one"))).signal == signal.SIGTERM


async def test_progress_follows_what_the_program_says(attempts: Attempts) -> None:
    await attempts.shell("one", "echo '[1/4] first'; until [ -e go ]; do sleep 0.01; done; echo ok")
    seen = []
    async for progress in attempts.runner.reports(attempts.key("one")):
        seen.append(progress)
        (attempts.work / "go").touch()
    assert seen == [Progress(0.25, "[1/4] first"), Progress(0.25, "ok")]


async def test_a_program_is_heard_after_a_long_silence(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pex_tui.adapters.process.runner._QUIET_LOOKS", 0)
    await attempts.shell("one", "until [ -e go ]; do sleep 0.01; done; echo ok; sleep 60")
    reports = attempts.runner.reports(attempts.key("one"))
    (attempts.work / "go").touch()
    assert await anext(reports) == Progress(None, "ok")
    await attempts.runner.stop(attempts.key("one"), 5.0)


async def test_a_spoken_to_program_hears_every_byte_once_and_in_order(attempts: Attempts) -> None:
    await attempts.python("one", SPEAKER, speaks=True)
    key = attempts.key("one")
    for number in range(20):
        assert await attempts.runner.send(key, b"line %d\n" % number)
    assert await attempts.runner.end_input(key)
    assert not await attempts.runner.send(key, b"too late\n")
    assert (await attempts.runner.wait(key)).exit_code == 0
    heard = [b"heard line %d" % number for number in range(20)]
    assert attempts.output("one").splitlines() == [*heard, b"bye"]
    said = (attempts.folder("one") / "input.log").read_bytes()
    assert said == b"".join(b"line %d\n" % number for number in range(20))


async def test_much_input_waits_for_a_program_that_reads_late(attempts: Attempts) -> None:
    script = (
        "import os, sys, time\n"
        "while not os.path.exists('go'): time.sleep(0.01)\n"
        "print(len(sys.stdin.buffer.read()))\n"
    )
    await attempts.python("one", script, speaks=True)
    key = attempts.key("one")
    assert await attempts.runner.send(key, b"x" * 3_000_000)
    assert await attempts.runner.end_input(key)
    assert await attempts.runner.pause(key)  # a full pipe does not block the shim
    assert await attempts.runner.resume(key)
    (attempts.work / "go").touch()
    await attempts.runner.wait(key)
    assert attempts.output("one") == b"3000000\n"


async def test_a_program_that_closed_its_stdin_is_not_spoken_to(attempts: Attempts) -> None:
    await attempts.python(
        "one",
        "import os, time; os.close(0); open('closed', 'w'); time.sleep(60)",
        speaks=True,
    )
    await until((attempts.work / "closed").exists)
    key = attempts.key("one")
    await attempts.runner.send(key, b"into the void\n")
    assert not await attempts.runner.send(key, b"again\n")
    await attempts.runner.stop(key, 5.0)
    await attempts.runner.wait(key)


async def test_a_long_state_directory_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    attempts = Attempts(deep)
    started = await attempts.shell("one", FOREVER)
    assert isinstance(started, Started)
    assert await attempts.runner.pause(attempts.key("one"))
    await attempts.runner.stop(attempts.key("one"), 5.0)
    await attempts.runner.wait(attempts.key("one"))
    await attempts.runner.close()


async def test_a_state_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    attempts.root.write_text("in the way")
    with pytest.raises(LaunchError, match="cannot start the agent launcher"):
        await attempts.start("one", "true")
    await attempts.runner.close()


async def test_watching_can_be_given_up_at_any_time(attempts: Attempts) -> None:
    await attempts.shell("one", f"echo here; {FOREVER}")
    key = attempts.key("one")

    async def watch() -> None:
        async for _ in attempts.runner.reports(key):
            watched.set()

    watched = asyncio.Event()
    watching = [asyncio.create_task(watch()), asyncio.create_task(attempts.runner.wait(key))]
    await watched.wait()
    for task in watching:
        task.cancel()
    results = await asyncio.gather(*watching, return_exceptions=True)
    assert {type(result) for result in results} == {asyncio.CancelledError}
    await attempts.runner.stop(key, 5.0)
    assert (await attempts.runner.wait(key)).signal == signal.SIGTERM


def _tree(shim: int) -> list[int]:
    found = [shim]
    for pid in found:
        found += [child for child in TABLE.children(pid) if lives(child)]
    return found[1:]


def _states(shim: int) -> list[str]:
    return [found.state for pid in _tree(shim) if (found := TABLE.stat(pid)) is not None]


def _waiting_shims(runner: ShimRunner) -> list[psutil.Process]:
    """Return children of the launcher without a program."""
    assert runner.launcher_pid is not None
    found = []
    for shim in psutil.Process(runner.launcher_pid).children():
        with suppress(psutil.NoSuchProcess):  # one that has just ended
            found += [] if shim.children() else [shim]
    return found
