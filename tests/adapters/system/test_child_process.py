"""A child process and its pipes are gone after its block, however the block ends."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import psutil
import pytest

from pex_tui.adapters.system import child_process
from pex_tui.adapters.system.child_process import running
from tests.waiting import wait_until

LONG = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)")
STUBBORN = (sys.executable, "-c", f"import signal; signal.signal(15, signal.SIG_IGN); {LONG[2]}")


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.status() != "zombie"]


async def keep(argv: tuple[str, ...], folder: Path) -> None:
    async with running(argv, folder, os.environ) as process:
        await process.communicate()


@pytest.mark.parametrize("steps", range(9))
async def test_a_start_that_is_cancelled_leaves_no_process_and_no_pipe(
    tmp_path: Path, steps: int
) -> None:
    before = set(children())
    task = asyncio.ensure_future(keep(LONG, tmp_path))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        gc.collect()
    assert not caught
    assert set(children()) <= before


async def test_leaving_early_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    script = "sleep 60 & echo $!; wait"
    async with running(("sh", "-c", script), tmp_path, os.environ) as process:
        assert process.stdout is not None
        grandchild = int(await process.stdout.readline())
    assert process.returncode == -signal.SIGTERM
    wait_until(lambda: not lives(grandchild))


async def test_a_program_that_ignores_the_polite_signal_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "_GRACE_SECONDS", 0.1)
    async with running(STUBBORN, tmp_path, os.environ) as process:
        assert process.stdout is not None
        await process.stdout.readline()
    assert process.returncode == -signal.SIGKILL


async def test_a_program_that_is_done_is_left_with_its_status(tmp_path: Path) -> None:
    async with running(("sh", "-c", "exit 3"), tmp_path, os.environ) as process:
        await process.communicate()
    assert process.returncode == 3


@pytest.mark.parametrize(
    ("argv", "error"), [(("no-such-program",), FileNotFoundError), (("sh", "\0"), ValueError)]
)
async def test_a_program_that_can_t_start_says_so(
    tmp_path: Path, argv: tuple[str, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await keep(argv, tmp_path)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the kernel can't pin processes")
def test_what_ends_with_us_ends_when_we_are_killed(tmp_path: Path) -> None:
    script = "trap '' TERM; (setsid -f sh -c : ; sleep 60) & sleep 60 & echo $$ $!; wait"
    code = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "from pex_tui.adapters.system.child_process import running\n"
        "async def main():\n"
        f"    argv = ('sh', '-c', {script!r})\n"
        "    async with running(argv, Path(), os.environ, ends_with_us=True) as process:\n"
        "        print((await process.stdout.readline()).decode(), flush=True)\n"
        "        await process.wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as ours:
        assert ours.stdout is not None
        pids = [int(pid) for pid in ours.stdout.readline().split()]
        assert all(psutil.pid_exists(pid) for pid in pids)
        ours.kill()
    wait_until(lambda: not any(map(lives, pids)))


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
