"""`pex-tui lock` from inside agents, over the agents' socket of a real engine."""

import json
import os
import signal
import sqlite3
from contextlib import closing

from tests.e2e.conftest import Shell
from tests.waiting import PATIENCE_SECONDS, wait_until


def report(shell: Shell, run: str) -> dict[str, object]:
    told = shell.pex("report", run, "--format", "json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert isinstance(found, dict)
    return found


def asked(shell: Shell, task: str) -> int:
    """Return how often this task asked an engine for locks."""
    [journal] = (shell.top.parent / "state").rglob("journal.db")
    with closing(sqlite3.connect(journal)) as connection:
        found = connection.execute("SELECT body FROM events WHERE kind = 'lock_asked'").fetchall()
    return sum(json.loads(body)["task"] == task for (body,) in found)


def test_commands_under_one_lock_follow_one_another(shell: Shell) -> None:
    log = shell.top.parent / "log"
    body = f"echo in >> {log}; sleep 0.2; echo out >> {log}"
    tasks = "".join(
        f"  - {{id: t{number}, writes: [], command: [pex-tui, lock, db, --, sh, -c, '{body}']}}\n"
        for number in range(4)
    )
    shell.write("plan.yaml", f"version: 1\ntasks:\n{tasks}")
    ended = shell.pex("run", "plan.yaml", "--headless", "--name", "one")
    assert ended.returncode == 0, ended.stderr
    assert log.read_text().split() == ["in", "out"] * 4


def test_commands_that_lock_each_other_out_are_told_apart_and_both_end(shell: Shell) -> None:
    meet = shell.top.parent

    def task(name: str, first: str, second: str, other: str) -> str:
        """Return a task that wants the second lock once it and the other task have their first."""
        inner = f"pex-tui lock {second} -- touch {meet}/{name}-done"
        wait = f"until [ -e {meet}/{other}-has ] || [ -e {meet}/{other}-done ]; do sleep 0.05; done"
        script = f"touch {meet}/{name}-has; {wait}; {inner}"
        return (
            f"  - id: {name}\n    writes: []\n"
            f"    command: [pex-tui, lock, {first}, --, sh, -c, '{script}']\n"
        )

    plan = task("left", "db", "cache", "right") + task("right", "cache", "db", "left")
    shell.write("plan.yaml", f"version: 1\ntasks:\n{plan}")
    ended = shell.pex("run", "plan.yaml", "--headless", "--name", "two")
    assert ended.returncode == 0, ended.stderr
    assert "Deadlock: " in ended.stderr
    conflicts = report(shell, "two")["conflicts"]
    assert isinstance(conflicts, list)
    (conflict,) = conflicts
    assert (conflict["kind"], conflict["decision"]) == ("resource", "rerun")
    assert conflict["met_at"] - conflict["seen_at"] < PATIENCE_SECONDS


def test_exit_codes_timeouts_and_nesting_from_inside_an_agent(shell: Shell) -> None:
    meet = shell.top.parent
    shell.write(
        "plan.yaml",
        f"""version: 1
tasks:
  - id: holder
    writes: []
    command: "pex-tui lock db -- sh -c 'touch {meet}/held; until [ -e {meet}/tried ]; \
do sleep 0.05; done; exit 7' || [ $? = 7 ]"
  - id: other
    writes: []
    command: "until [ -e {meet}/held ]; do sleep 0.05; done; \
pex-tui lock db --timeout 0.2 -- true; [ $? = 75 ] && pex-tui lock db cache --shared -- \
pex-tui lock cache --shared -- sh -c 'touch {meet}/nested'; touch {meet}/tried; \
pex-tui lock db -- no-such-program; [ $? = 127 ]"
""".replace("pex-tui lock db cache --shared", "pex-tui lock cache log --shared"),
    )
    ended = shell.pex("run", "plan.yaml", "--headless", "--name", "three")
    assert ended.returncode == 0, ended.stderr
    assert (meet / "nested").exists()


def test_a_killed_engine_takes_no_lock_away(shell: Shell) -> None:
    meet = shell.top.parent
    body = (
        f"touch {meet}/$PEX_TASK-in; [ $PEX_TASK = second ] || until [ -e {meet}/go ]; "
        f"do sleep 0.05; done; echo $PEX_TASK >> {meet}/order"
    )
    shell.write(
        "plan.yaml",
        f"""version: 1
tasks:
  - {{id: first, writes: [], command: [pex-tui, lock, db, --, sh, -c, '{body}']}}
  - id: second
    writes: []
    command: "until [ -e {meet}/first-in ]; do sleep 0.05; done; \
pex-tui lock db -- sh -c '{body}'"
""",
    )
    engine = shell.start("run", "plan.yaml", "--headless", "--name", "four")
    wait_until((meet / "first-in").exists)
    wait_until(lambda: asked(shell, "second") == 1)
    os.kill(engine.pid, signal.SIGKILL)
    engine.communicate(timeout=PATIENCE_SECONDS)
    again = shell.start("resume", "four", "--headless")
    wait_until(lambda: asked(shell, "second") == 2)  # it has reconnected to the new engine
    assert not (meet / "second-in").exists()
    (meet / "go").touch()
    _, told = again.communicate(timeout=PATIENCE_SECONDS)
    assert again.returncode == 0, told
    assert (meet / "order").read_text().split() == ["first", "second"]


def test_outside_of_an_agent_and_without_a_command_it_says_what_it_is_for(shell: Shell) -> None:
    outside = shell.pex("lock", "db", "--", "true")
    assert outside.returncode == 2
    assert "works inside an agent of a run" in outside.stderr
    nothing = shell.pex("lock", "db")
    assert nothing.returncode == 2
    assert "There is no command to run" in nothing.stderr


def test_nobody_else_gets_locks_with_a_token_made_up(shell: Shell) -> None:
    shell.write(
        "plan.yaml",
        """version: 1
tasks:
  - id: liar
    writes: []
    command: "PEX_TOKEN=feed pex-tui lock db -- true; [ $? = 75 ]"
""",
    )
    ended = shell.pex("run", "plan.yaml", "--headless", "--name", "five")
    assert ended.returncode == 0, ended.stderr
