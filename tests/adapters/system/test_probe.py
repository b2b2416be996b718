import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from pex_tui.adapters.system.probe import TreeMeter
from pex_tui.core.model.ids import TaskId
from pex_tui.engine.session import Usage
from tests.waiting import PATIENCE_SECONDS

A, B = TaskId("a"), TaskId("b")
MEGABYTE = 1024**2
IDLE = "import sys; print('up', flush=True); sys.stdin.read()"
BUSY = "print('up', flush=True)\nwhile True: pass"
LARGE = f"import sys; held = b'x' * {64 * MEGABYTE}; print('up', flush=True); sys.stdin.read()"
PARENT = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', sys.argv[1]]))"

Start = Callable[..., int]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python program and wait until it is up; return its pid, or its parent's."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, *, below_a_parent: bool = False) -> int:
        argv = [sys.executable, "-c", PARENT, code] if below_a_parent else None
        process = subprocess.Popen(
            argv or [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process.pid

    yield begin
    for process in started:
        os.killpg(process.pid, 9)
        process.communicate()


def until(meter: TreeMeter, roots: dict[TaskId, int], is_so: Callable[[Usage], bool]) -> Usage:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so(usage := meter.read(roots)):
        assert time.monotonic() < give_up_at, usage
        time.sleep(0.02)
    return usage


def test_memory_of_a_whole_tree_is_counted(start: Start) -> None:
    small, large = start(IDLE), start(LARGE, below_a_parent=True)

    usage = TreeMeter().read({A: small, B: large})

    (_, _, of_small), (_, _, of_large) = usage.by_task
    assert 0 < of_small < 64 * MEGABYTE < of_large
    assert usage.memory_bytes == of_small + of_large


def test_cpu_is_what_was_spent_since_the_last_reading(start: Start) -> None:
    idle, busy = start(IDLE), start(BUSY, below_a_parent=True)
    meter, roots = TreeMeter(), {A: idle, B: busy}
    first = meter.read(roots)
    assert first.cpu == 0  # nothing to compare with yet

    usage = until(meter, roots, lambda usage: usage.by_task[1][1] > 0)

    (_, of_idle, _), (_, of_busy, _) = usage.by_task
    assert of_idle < of_busy <= 1
    assert usage.cpu == pytest.approx(of_idle + of_busy)


def test_a_tree_that_has_ended_uses_nothing(start: Start) -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()

    usage = TreeMeter().read({A: start(IDLE), B: ended.pid})

    assert usage.by_task[1] == (B, 0, 0)
    assert usage.by_task[0][2] > 0


def test_without_agents_nothing_is_used() -> None:
    assert TreeMeter().read({}) == Usage()
