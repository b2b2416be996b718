"""An unread pipe blocks neither the run nor the lock, and misses nothing."""

import fcntl
import json
import os
import signal

import pytest

from pex_tui.adapters.storage.engine_lock import EngineBusyError, EngineLock, current_holder
from tests.e2e.conftest import Shell
from tests.pex_process import PexProcess
from tests.waiting import PATIENCE_SECONDS, wait_until

PLAN = """
version: 1
tasks:
  - {id: first, command: "echo 1 > 1.txt", writes: ["1.txt"]}
  - {id: second, command: "echo 2 > 2.txt", writes: ["2.txt"], needs: [first]}
"""
SMALLEST_PIPE = 4096


def started(shell: Shell, *argv: str) -> PexProcess:
    """Start pex-tui with pipes of minimal capacity."""
    process = shell.start(*argv, pipesize=SMALLEST_PIPE)
    assert process.stdout is not None
    assert fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ) == SMALLEST_PIPE
    return process


def landed(shell: Shell) -> bool:
    listing = shell.git("for-each-ref", "--format=%(refname)", "refs/heads/pex/r1")
    return bool(listing) and len(shell.git("log", "--format=%h", "main..pex/r1").split()) == 2


def is_free(shell: Shell) -> bool:
    locks = (shell.top.parent / "state").glob("pex-tui/*/engine.lock")
    return all(current_holder(lock) is None for lock in locks)


def can_be_taken(shell: Shell) -> bool:
    (path,) = (shell.top.parent / "state").glob("pex-tui/*/engine.lock")
    lock = EngineLock(path)
    try:
        lock.acquire()
    except EngineBusyError:
        return False
    lock.release()
    return True


def test_json_lines_that_nobody_reads_yet_hold_up_nothing_and_are_complete(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN)
    with started(shell, "run", "plan.yaml", "--json", "--name", "r1") as run:
        wait_until(lambda: landed(shell) and is_free(shell))
        assert run.poll() is None  # it waits for its reader, and holds no lock

        output, _ = run.communicate(timeout=PATIENCE_SECONDS)

    events = [json.loads(line) for line in output.splitlines()]
    assert len(output) > SMALLEST_PIPE
    assert [event["seq"] for event in events] == list(
        range(events[0]["seq"], events[-1]["seq"] + 1)
    )
    assert events[-1]["event"] == "run_finished"
    assert run.returncode == 0


def test_a_signal_ends_a_run_that_is_over_and_waits_for_its_reader(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN)
    with started(shell, "run", "plan.yaml", "--json", "--name", "r1") as run:
        wait_until(lambda: landed(shell) and is_free(shell))
        run.send_signal(signal.SIGTERM)
        assert run.wait(PATIENCE_SECONDS) == 130


def test_land_gives_the_lock_back_before_anybody_reads_what_it_says(shell: Shell) -> None:
    shell.write(
        "plan.yaml",
        'version: 1\ntasks:\n  - {id: good, command: "echo 1 > 1.txt"}\n'
        '  - {id: bad, command: "false"}\n',
    )
    shell.pex("run", "plan.yaml", "--name", "r1")
    reader, writer = os.pipe()
    room = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE)
    os.write(writer, b"." * room)  # full from the start
    with shell.start("land", "r1", stdout=writer, stderr=writer) as land:
        os.close(writer)
        wait_until(lambda: (shell.top / "1.txt").exists() and can_be_taken(shell))
        assert land.poll() is None  # it waits for its reader, and holds no lock

        with os.fdopen(reader) as told:
            assert "! Not included, because they have not landed: bad" in told.read()
        assert land.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize(
    ("command", "kind"), [("runs", "pipe"), ("report", "terminal"), ("check plan.yaml", "pipe")]
)
def test_a_reader_that_is_gone_makes_no_command_fail(shell: Shell, command: str, kind: str) -> None:
    shell.write("plan.yaml", PLAN)
    if command == "report":
        assert shell.pex("run", "plan.yaml", "--headless", "--name", "r1").returncode == 0
    reader, writer = os.openpty() if kind == "terminal" else os.pipe()
    os.close(reader)
    process = shell.start(*command.split(), stdout=writer)
    os.close(writer)
    _, notes = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, (process.returncode, notes)
    assert "rror" not in notes
