"""A program runs to its end with its input and output in files, and ends when it is cancelled."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from pex_tui.adapters.system import captured_run
from pex_tui.adapters.system.captured_run import CapturedRun, run_captured
from tests.waiting import until, wait_until

DEAF = "import signal; signal.signal(15, signal.SIG_IGN);"
SLEEP = "import pathlib, sys, time; pathlib.Path('up').write_text('1'); time.sleep(60)"


def descriptors() -> int:
    return psutil.Process().num_fds()


async def cancelled_once_up(folder: Path, code: str) -> int:
    """Cancel a run of Python once it is up; return its process id."""
    before = {child.pid for child in psutil.Process().children()}
    run = asyncio.ensure_future(run_captured((sys.executable, "-c", code), folder, os.environ))
    await until((folder / "up").exists)
    (pid,) = {child.pid for child in psutil.Process().children()} - before
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    return pid


async def test_a_program_gets_its_input_and_both_outputs_are_kept_apart(tmp_path: Path) -> None:
    before = descriptors()
    ended = await run_captured(
        ("sh", "-c", "cat; echo oops >&2; exit 3"), tmp_path, os.environ, stdin=b"hello\0"
    )
    assert ended == CapturedRun(3, b"hello\0", b"oops\n")
    assert descriptors() == before


async def test_more_than_a_pipe_holds_goes_in_and_comes_out(tmp_path: Path) -> None:
    much = os.urandom(1 << 20)
    assert (await run_captured(("cat",), tmp_path, os.environ, stdin=much)).stdout == much


async def test_a_program_runs_in_its_folder_with_its_environment_in_a_session_of_its_own(
    tmp_path: Path,
) -> None:
    code = "import os; print(os.getcwd(), os.environ['A'], os.getsid(0) == os.getpid())"
    ended = await run_captured((sys.executable, "-c", code), tmp_path, {"A": "b"})
    assert ended.stdout.decode().split() == [str(tmp_path.resolve()), "b", "True"]


async def test_a_program_killed_by_a_signal_says_which(tmp_path: Path) -> None:
    ended = await run_captured(("sh", "-c", "kill -KILL $$"), tmp_path, os.environ)
    assert ended.status == -signal.SIGKILL


async def test_a_cancelled_run_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    script = "import subprocess; subprocess.Popen(['sleep', '60']);"
    before = descriptors()
    leader = await cancelled_once_up(tmp_path, script + SLEEP)
    assert not psutil.pid_exists(leader)
    wait_until(lambda: not list(alive_in(leader)))
    assert descriptors() == before


def alive_in(group: int) -> Iterable[int]:
    for process in psutil.process_iter(["status"]):
        try:
            if os.getpgid(process.pid) == group and process.info["status"] != "zombie":
                yield process.pid
        except ProcessLookupError:
            continue


async def test_a_cancelled_program_that_ignores_the_polite_signal_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captured_run, "_GRACE_SECONDS", 0.1)
    assert not psutil.pid_exists(await cancelled_once_up(tmp_path, DEAF + SLEEP))


async def test_without_pidfds_a_program_is_waited_for_and_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_: int) -> NoReturn:
        raise PermissionError

    monkeypatch.setattr(os, "pidfd_open", forbidden, raising=False)
    ended = await run_captured(("sh", "-c", "echo a"), tmp_path, os.environ)
    assert ended == CapturedRun(0, b"a\n", b"")
    assert not psutil.pid_exists(await cancelled_once_up(tmp_path, SLEEP))


@pytest.mark.parametrize(
    ("argv", "error"), [(("no-such-program",), FileNotFoundError), (("sh", "\0"), ValueError)]
)
async def test_a_program_that_can_t_start_says_so(
    tmp_path: Path, argv: tuple[str, ...], error: type[Exception]
) -> None:
    before = descriptors()
    with pytest.raises(error):
        await run_captured(argv, tmp_path, os.environ)
    assert descriptors() == before
