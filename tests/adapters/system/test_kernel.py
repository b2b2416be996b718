"""Process tables: /proc and psutil agree, and signals reach only the intended process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pex_tui.adapters.system import kernel
from pex_tui.adapters.system.kernel import ProcessTable, ProcTable, PsutilTable, send_signal

SLEEPER = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for its child, which reads a pipe."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER],
        stdin=subprocess.PIPE,
        env={**os.environ, "PEX_TREE": f"test-{os.getpid()}"},
    )
    while not ProcTable().children(process.pid):
        os.sched_yield()
    yield process
    for child in ProcTable().children(process.pid):
        os.kill(child, signal.SIGKILL)
    process.communicate()


@pytest.fixture(params=[ProcTable, PsutilTable])
def table(request: pytest.FixtureRequest) -> ProcessTable:
    made: ProcessTable = request.param()
    return made


def test_a_table_knows_parents_and_children(
    table: ProcessTable, parent: subprocess.Popen[bytes]
) -> None:
    (child,) = table.children(parent.pid)
    found = table.stat(child)
    assert found is not None
    assert found.parent == parent.pid
    assert table.children(child) == []


def test_a_table_tells_two_starts_apart(
    table: ProcessTable, parent: subprocess.Popen[bytes]
) -> None:
    first, second = table.stat(parent.pid), table.stat(os.getpid())
    assert first is not None
    assert second is not None
    assert first.started > second.started
    again = table.stat(parent.pid)
    assert again is not None
    assert (again.parent, again.session, again.started) == (
        first.parent,
        first.session,
        first.started,
    )


def test_a_table_finds_processes_by_their_marker(
    table: ProcessTable, parent: subprocess.Popen[bytes]
) -> None:
    found = table.marked(f"PEX_TREE=test-{os.getpid()}")
    assert set(found) == {parent.pid, *table.children(parent.pid)}
    assert table.marked(f"PEX_TREE=test-{os.getpid()}0") == []


def test_a_table_sees_stopped_and_dead_processes(table: ProcessTable) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    os.kill(process.pid, signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    stopped = table.stat(process.pid)
    assert stopped is not None
    assert stopped.is_halted
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    dead = table.stat(process.pid)
    assert dead is not None
    assert dead.is_dead
    process.communicate()
    assert table.stat(process.pid) is None
    assert table.children(process.pid) == []


def test_a_boot_id_stays_the_same(table: ProcessTable) -> None:
    assert table.boot_id() == table.boot_id() != ""


def test_children_are_found_without_the_kernels_list(
    parent: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ProcTable().children(parent.pid)
    monkeypatch.setattr(kernel, "_kernel_lists_children", lambda: False)
    assert ProcTable().children(parent.pid) == expected


@pytest.mark.parametrize("pidfds", [True, False])
def test_a_reused_pid_is_never_signalled(
    parent: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
    pidfds: bool,
) -> None:
    if not pidfds:
        monkeypatch.delattr(os, "pidfd_open")
    found = ProcTable().stat(parent.pid)
    assert found is not None
    assert not send_signal(parent.pid, signal.SIGKILL, found._replace(started=found.started - 1))
    assert parent.poll() is None
    assert send_signal(parent.pid, signal.SIGCONT, found)
