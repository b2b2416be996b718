"""Engines are killed, interrupted and doubled; runs continue, and every task lands exactly once."""

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.e2e.conftest import Shell, shell
from tests.waiting import PATIENCE_SECONDS, wait_until

__all__ = ["shell"]

TASKS = """
version: 1
verify: [["sh", "-c", "sleep 0.2"]]
tasks:
  - {id: quick, command: "echo q >> starts; echo q > q.txt", writes: ["q.txt", "starts"]}
  - {id: slow, command: "echo s >> $COUNT; sleep 2; echo s > s.txt", writes: ["s.txt"]}
  - {id: other, command: "echo o >> $COUNT; sleep 1; echo o > o.txt", writes: ["o.txt"]}
  - {id: last, command: "echo l > l.txt", needs: [quick, slow, other], writes: ["l.txt"]}
"""


def prepared(shell: Shell) -> Shell:
    count = shell.top.parent / "count"
    count.touch()
    shell.write("plan.yaml", TASKS.replace("$COUNT", str(count)))
    return shell


def begun(shell: Shell) -> list[str]:
    return (shell.top.parent / "count").read_text().split()


def landed_once(shell: Shell, run: str = "r1") -> None:
    subjects = shell.git("log", "--format=%(trailers:key=Pex-Task,valueonly)", f"main..pex/{run}")
    assert sorted(subjects.split()) == ["last", "other", "quick", "slow"]
    shell.git("fsck", "--strict")


@pytest.mark.parametrize("landed", [0, 2])
def test_a_killed_engine_is_resumed_and_nothing_runs_or_lands_twice(
    shell: Shell, landed: int
) -> None:
    prepared(shell)
    head = shell.git("rev-parse", "HEAD")
    engine = shell.start("run", "plan.yaml", "--headless", "--name", "r1")
    wait_until(lambda: len(begun(shell)) == 2)
    wait_until(lambda: _landed(shell) >= landed)
    os.kill(engine.pid, signal.SIGKILL)
    engine.communicate()

    resumed = shell.pex("resume", "r1", "--headless")

    assert resumed.returncode == 0, resumed.stderr
    landed_once(shell)
    assert sorted(begun(shell)) == ["o", "s"]
    assert shell.git("rev-parse", "HEAD") == head


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_the_first_signal_lets_what_runs_end_and_keeps_the_rest(
    shell: Shell, number: signal.Signals
) -> None:
    prepared(shell)
    engine = shell.start("run", "plan.yaml", "--headless", "--name", "r1")
    wait_until(lambda: len(begun(shell)) == 2)
    engine.send_signal(number)
    output, notes = engine.communicate(timeout=PATIENCE_SECONDS)

    assert engine.returncode == 130, notes
    assert "pex-tui resume r1" in output
    resumed = shell.pex("resume", "--headless")
    assert resumed.returncode == 0, resumed.stderr
    landed_once(shell)
    assert sorted(begun(shell)) == ["o", "s"]


def test_the_second_signal_ends_what_runs(shell: Shell) -> None:
    prepared(shell)
    engine = shell.start("run", "plan.yaml", "--headless", "--name", "r1")
    wait_until(lambda: len(begun(shell)) == 2)
    engine.send_signal(signal.SIGINT)
    assert engine.stderr is not None
    assert any("starting nothing more" in line for line in engine.stderr)
    engine.send_signal(signal.SIGINT)
    engine.communicate(timeout=PATIENCE_SECONDS)
    assert engine.returncode == 130

    resumed = shell.pex("resume", "--headless")

    assert resumed.returncode == 0, resumed.stderr
    landed_once(shell)


def test_a_second_engine_is_told_who_is_there(shell: Shell) -> None:
    go = shell.top.parent / "go"
    shell.write(
        "plan.yaml",
        "version: 1\ntasks:\n"
        f'  - {{id: slow, command: "echo s > s.txt; until [ -e {go} ]; do sleep 0.05; done"}}\n',
    )
    engine = shell.start("run", "plan.yaml", "--headless", "--name", "r1")
    wait_until(lambda: shell.pex("runs").stdout.count("r1") == 1)

    second = shell.pex("run", "plan.yaml", "--headless")

    assert second.returncode == 5
    assert str(engine.pid) in second.stderr
    go.touch()
    engine.communicate(timeout=PATIENCE_SECONDS)
    assert engine.returncode == 0


def _landed(shell: Shell) -> int:
    listing = shell.git("for-each-ref", "--format=%(refname)", "refs/heads/pex/r1")
    return len(shell.git("log", "--format=%h", "main..pex/r1").split()) if listing else 0


def test_with_an_older_copy_of_the_journal_nothing_runs_or_lands_twice(shell: Shell) -> None:
    count, go = shell.top.parent / "count", shell.top.parent / "go"
    shell.write(
        "plan.yaml",
        "version: 1\ntasks:\n"
        f'  - {{id: quick, command: "echo q >> {count}; echo q >> q.txt", writes: ["q.txt"]}}\n'
        f'  - {{id: slow, command: "echo s >> {count}; until [ -e {go} ]; do sleep 0.05; done; '
        'echo s >> s.txt", writes: ["s.txt"]}\n'
        '  - {id: last, command: "cat q.txt s.txt > l.txt", needs: [quick, slow]}\n',
    )
    count.touch()
    engine = shell.start("run", "plan.yaml", "--headless", "--name", "r1")
    wait_until(lambda: len(begun(shell)) == 2 and _landed(shell) == 1)
    os.kill(engine.pid, signal.SIGKILL)
    engine.communicate()
    (journal,) = (shell.top.parent / "state").rglob("journal.db")
    with closing(sqlite3.connect(journal, isolation_level=None)) as connection:
        connection.execute("DELETE FROM events WHERE seq > 1")
    go.touch()

    resumed = shell.pex("resume", "r1", "--headless")

    assert resumed.returncode == 0, resumed.stderr
    assert sorted(begun(shell)) == ["q", "s"]
    assert shell.git("show", "pex/r1:q.txt", "pex/r1:l.txt").split() == ["q", "q", "s"]
    assert "does not know attempt 1 of slow" in resumed.stderr
