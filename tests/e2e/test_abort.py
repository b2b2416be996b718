"""`pex-tui abort`: agents of a live, a dead and a hung engine end, and their work is kept."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Shell
from tests.waiting import wait_until

LONG = str(1_000_000 + os.getpid())  # seconds, by which the agents' processes are recognised
PLAN = """\
version: 1
goal: Work for long
tasks:
- id: one
  command: |
    echo half > half.txt; trap '' TERM; for n in 1 2 3; do (setsid sleep {long} &); done
    touch {marks}/one; sleep {long} & wait; sleep {long}
- id: two
  needs: [one]
  command: "true"
"""


def began(shell: Shell) -> Path:
    marks = shell.top.parent / "marks"
    marks.mkdir(exist_ok=True)
    (shell.top.parent / "plan.yaml").write_text(PLAN.format(marks=marks, long=LONG))
    return marks / "one"


def survivors() -> list[int]:
    found = psutil.process_iter(["cmdline"])
    return [one.pid for one in found if LONG in (one.info["cmdline"] or ())]


def is_aborted_with_its_work(shell: Shell) -> None:
    assert shell.git("show", "refs/pex/r/one/1:half.txt") == "half"
    report = shell.pex("report", "r")
    assert "Run r: aborted" in report.stdout
    assert "pex-tui resume r" in report.stdout


@pytest.mark.parametrize("end", [None, signal.SIGKILL, signal.SIGSTOP])
def test_abort_ends_everything_and_keeps_the_work(shell: Shell, end: signal.Signals | None) -> None:
    mark = began(shell)
    engine = shell.start(
        *("run", str(shell.top.parent / "plan.yaml"), "--headless", "--name", "r"),
        *("--set", "safety.grace=1s"),
    )
    wait_until(mark.exists)
    assert survivors() != []
    if end is not None:
        os.kill(engine.pid, end)
    if end is signal.SIGKILL:
        engine.communicate()

    aborted = shell.pex("abort", "--set", "safety.grace=1s")

    assert survivors() == []
    if end is signal.SIGSTOP:
        assert aborted.returncode == 1
        os.kill(engine.pid, signal.SIGKILL)
        engine.communicate()
        aborted = shell.pex("abort", "r")
    assert aborted.returncode == 0, aborted.stderr
    if end is None:
        engine.communicate()
    is_aborted_with_its_work(shell)
