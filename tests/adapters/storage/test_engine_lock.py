import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pex_tui.adapters.storage.engine_lock import EngineBusyError, EngineLock, current_holder
from pex_tui.core.model.ids import RunId
from tests.waiting import patience

HOLDER = """
import sys, time
from pathlib import Path
from pex_tui.adapters.storage.engine_lock import EngineLock
lock = EngineLock(Path(sys.argv[1]))
lock.acquire()
lock.describe("7f3a", control=Path("/run/c.sock"), is_background=True)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.lock"


def test_a_second_engine_is_told_who_holds_the_repository(path: Path) -> None:
    first, second = EngineLock(path), EngineLock(path)
    first.acquire()
    first.describe(RunId("7f3a"), control=None, is_background=False)

    with pytest.raises(EngineBusyError, match=f"run 7f3a, process {os.getpid()}") as caught:
        second.acquire()

    assert caught.value.holder is not None
    assert not caught.value.holder.is_background
    first.release()
    second.acquire()
    second.release()


def test_a_holder_that_dies_frees_the_repository(path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    holder = current_holder(path)
    assert holder is not None
    assert (holder.pid, holder.run, holder.is_background) == (process.pid, "7f3a", True)

    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()

    assert current_holder(path) is None
    lock = EngineLock(path)
    lock.acquire()
    lock.release()


async def test_waiting_ends_when_the_lock_is_free(path: Path) -> None:
    first, second = EngineLock(path), EngineLock(path)
    first.acquire()
    waiting = asyncio.create_task(second.wait())
    await asyncio.sleep(0)
    assert not waiting.done()

    first.release()
    async with patience():
        await waiting
    second.release()


def test_a_lock_file_that_is_taken_away_never_makes_two_holders(path: Path) -> None:
    first, second, third = EngineLock(path), EngineLock(path), EngineLock(path)
    first.acquire()
    first.release(removes=True)
    assert not path.exists()

    second.acquire()
    with pytest.raises(EngineBusyError):
        third.acquire()
    second.release()


def test_a_file_that_is_taken_away_just_before_it_is_locked_is_not_the_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    taken_away: list[Path] = []

    def take_away_first(descriptor: int, operation: int) -> None:
        if not taken_away:
            taken_away.append(path)
            path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", take_away_first)
    first = EngineLock(path)
    first.acquire()

    with pytest.raises(EngineBusyError):
        EngineLock(path).acquire()
    first.release()


def test_nobody_holds_a_repository_that_never_ran(path: Path) -> None:
    assert current_holder(path) is None
    assert not path.exists()


def test_a_holder_that_has_not_said_who_it_is_is_still_in_the_way(path: Path) -> None:
    lock = EngineLock(path)
    lock.acquire()

    with pytest.raises(EngineBusyError, match="another process") as caught:
        EngineLock(path).acquire()

    assert caught.value.holder is None
    lock.release()


def test_what_a_lock_says_of_a_holder_that_let_go_is_not_believed(path: Path) -> None:
    lock = EngineLock(path)
    lock.acquire()
    lock.describe(RunId("7f3a"), control=None, is_background=False)
    lock.release()

    assert current_holder(path) is None


def test_looking_who_holds_a_free_lock_leaves_it_free(path: Path) -> None:
    path.write_text('{"pid": 1, "run": "old", "host": "h", "since": 1.0}')

    assert current_holder(path) is None

    lock = EngineLock(path)
    lock.acquire()
    lock.release()


def test_a_program_that_the_holder_starts_does_not_keep_the_lock(path: Path) -> None:
    lock = EngineLock(path)
    lock.acquire()
    child = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE)
    lock.release()

    other = EngineLock(path)
    other.acquire()

    other.release()
    child.communicate()
