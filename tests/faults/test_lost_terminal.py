"""The terminal of a busy run is taken away at random moments, with any screen or dialog open.

The app ends in time with its state saved and the lock free, and `resume` lands each task once.
`PEX_LOST_TERMINALS=30 pytest tests/faults/test_lost_terminal.py` tries thirty moments, and times
the app on an otherwise idle machine.
"""

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from pex_tui.adapters.storage.engine_lock import current_holder
from tests.e2e.conftest import Shell, shell
from tests.e2e.terminal import Terminal
from tests.waiting import PATIENCE_SECONDS

__all__ = ["shell"]

IS_TIMED = "PEX_LOST_TERMINALS" in os.environ
MOMENTS = int(os.environ.get("PEX_LOST_TERMINALS", "2"))
SEED = int(os.environ.get("PEX_LOST_TERMINALS_SEED", "12"))
LIMIT_SECONDS = 3.0
LONGEST_WAIT = 2.0
FROZEN_SECONDS = 3.0
PLAN = """
version: 1
goal: Talk and land
slots: 4
tasks:
  - {id: talker, writes: ["t.txt"], command: "until [ -e $GO ]; do echo step; sleep 0.05; done;
      echo t > t.txt"}
  - {id: other, writes: ["o.txt"], command: "until [ -e $GO ]; do echo step; sleep 0.05; done;
      echo o > o.txt"}
  - {id: quick, writes: ["q.txt"], command: "echo q > q.txt"}
  - {id: after, writes: ["a.txt"], needs: [quick], command: "sleep 1; echo a > a.txt"}
  - {id: last, writes: ["l.txt"], needs: [other, after], command: "echo l > l.txt"}
"""
TASKS = ["after", "last", "other", "quick", "talker"]
OPENED_BY = (
    ("nothing", ""),
    ("help", "?"),
    ("leaving", "q"),
    ("abort", "a"),
    ("abort the run", "A"),
    ("filter", "/"),
    ("palette", ":"),
    ("home", "\x1bOP"),
    ("a goal", "\x1bOPn"),
    ("a file's name", "\x1bOPo"),
    ("the demo's question", "\x1bOPd"),
    ("the plan", "\x1bOQ"),
    ("conflicts", "\x1bOS"),
    ("history", "\x1b[15~"),
    ("an export", "\x1b[15~x"),
    ("the inbox", "i"),
    ("cards", "v"),
    ("a zoom", "\r"),
    ("the diff", "2"),
)
"""Dialogs and screens, and the keys that open them."""


def closed(terminal: Terminal) -> None:
    terminal.hang_up()


def signalled(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: terminal.signal(number)


def frozen(terminal: Terminal) -> None:
    """Stop reading the terminal, then tell the process to end."""
    time.sleep(FROZEN_SECONDS)
    terminal.signal(signal.SIGTERM)


def told_twice(terminal: Terminal) -> None:
    terminal.signal(signal.SIGTERM)
    terminal.signal(signal.SIGHUP)


WAYS: tuple[tuple[str, Callable[[Terminal], None]], ...] = (
    ("closed", closed),
    ("closed", closed),  # the most frequent
    ("frozen", frozen),
    ("told twice", told_twice),
    *((number.name, signalled(number)) for number in (signal.SIGHUP, signal.SIGQUIT)),
)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_terminal_that_is_taken_away_ends_the_app_and_loses_nothing(
    shell: Shell, moment: int
) -> None:
    chance = random.Random(SEED + moment)  # noqa: S311  # which moment, no secret
    (shows, keys), (how, take_away) = chance.choice(OPENED_BY), chance.choice(WAYS)
    wait = chance.uniform(0.0, LONGEST_WAIT)
    go = shell.top.parent / "go"
    shell.write("plan.yaml", PLAN.replace("$GO", str(go)))
    argv = ("run", "plan.yaml", "--yes", "--name", "r1")
    with Terminal(argv, shell.top, shell.env, 100, 30, controls=chance.random() < 0.5) as terminal:
        terminal.until("running", "step")
        terminal.press(keys)
        terminal.listen(wait)

        take_away(terminal)
        since = time.monotonic()
        code = terminal.process.wait(PATIENCE_SECONDS)
        took = time.monotonic() - since

    told = f"{how} after {wait:.1f} s, with {shows} open (seed {SEED + moment})"
    assert code == 130, told
    assert took < LIMIT_SECONDS or not IS_TIMED, f"{told}: {took:.1f} s"
    [lock] = (shell.top.parent / "state").glob("pex-tui/*/engine.lock")
    assert current_holder(lock) is None, told
    go.touch()
    resumed = shell.pex("resume", "r1", "--headless")
    assert resumed.returncode == 0, (told, resumed.stderr)
    landed = shell.git("log", "--format=%(trailers:key=Pex-Task,valueonly)", "main..pex/r1")
    assert sorted(landed.split()) == TASKS, told
