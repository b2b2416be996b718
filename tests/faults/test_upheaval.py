"""Repositories, folders and environments that change or vanish under a run.

What git refuses is tried again for half a minute: `PEX_LONG_FAULTS=1` waits for that.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Shell, shell
from tests.pex_process import PexProcess
from tests.waiting import PATIENCE_SECONDS, wait_until

__all__ = ["shell"]

pytestmark = pytest.mark.faults
takes_long = pytest.mark.skipif("PEX_LONG_FAULTS" not in os.environ, reason="it takes a minute")
PLAN = """
version: 1
slots: 2
tasks:
  - {id: a, writes: ["a.txt"], command: "echo a > a.txt; until [ -e $GO ]; do sleep 0.02; done"}
  - {id: b, writes: ["b.txt"], command: "echo b > b.txt"}
  - {id: c, writes: ["c.txt"], needs: [a, b], command: "cat a.txt b.txt > c.txt"}
"""


@pytest.fixture
def engine(shell: Shell) -> PexProcess:
    """A run with one task landed and one at work."""
    plan = shell.top.parent / "plan.yaml"
    plan.write_text(PLAN.replace("$GO", str(shell.top.parent / "go")))
    engine = shell.start("run", str(plan), "--headless", "--name", "r1")
    wait_until(lambda: "b" in landed(shell) and any(workspaces(shell)))
    return engine


def workspaces(shell: Shell) -> list[Path]:
    return [*(shell.top.parent / "state").glob("pex-tui/*/pool/*/a.txt")]


def landed(shell: Shell) -> list[str]:
    if not shell.git("for-each-ref", "refs/heads/pex/r1"):
        return []
    return shell.git("log", "--format=%(trailers:key=Pex-Task,valueonly)", "pex/r1").split()


def ended(shell: Shell, engine: PexProcess) -> str:
    """Let the tasks end; return what the engine says, which is no exception."""
    (shell.top.parent / "go").touch()
    _, notes = engine.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in notes, notes
    assert engine.returncode in {0, 1, 2}, (engine.returncode, notes)
    return notes


def test_a_user_who_rebases_cleans_and_collects_meanwhile_loses_nothing(
    shell: Shell, engine: PexProcess
) -> None:
    shell.write("mine.txt", "mine\n")
    shell.git("add", "-A")
    shell.git("commit", "-qm", "mine")
    shell.git("rebase", "-q", "--root", "--exec", "true")
    shell.git("commit", "-q", "--amend", "-m", "mine, amended")
    shell.git("clean", "-fdxq")
    shell.git("reflog", "expire", "--expire=now", "--all")
    shell.git("gc", "-q", "--prune=now")
    shell.git("worktree", "prune")
    shell.git("branch", "-m", "main", "trunk")
    ended(shell, engine)
    assert engine.returncode == 0
    assert {"a", "b", "c"} <= set(landed(shell))
    assert shell.git("show", "-s", "--format=%s", "trunk") == "mine, amended"
    shell.git("fsck", "--strict")


@takes_long
def test_a_repository_that_is_removed_ends_the_run_in_words(
    shell: Shell, engine: PexProcess
) -> None:
    shutil.rmtree(shell.top, ignore_errors=True)
    notes = ended(shell, engine)
    assert engine.returncode != 0
    assert "repository" in notes or "No such file" in notes


@takes_long
def test_a_state_directory_that_is_removed_ends_the_run_in_words_and_refs_are_kept(
    shell: Shell, engine: PexProcess
) -> None:
    while (shell.top.parent / "state").exists():
        shutil.rmtree(shell.top.parent / "state", ignore_errors=True)
    ended(shell, engine)
    assert "b" in landed(shell)
    again = shell.pex("runs")
    assert again.returncode == 0
    shell.git("fsck", "--strict")


def test_a_workspace_that_is_removed_costs_its_attempt_and_no_other(
    shell: Shell, engine: PexProcess
) -> None:
    shutil.rmtree(workspaces(shell)[0].parent)
    ended(shell, engine)
    if engine.returncode:
        assert shell.pex("resume", "r1", "--headless").returncode == 0
    assert {"b", "c"} <= set(landed(shell))


ENVIRONMENTS: dict[str, dict[str, str | None]] = {
    "no home": {"HOME": None},
    "home is a file": {"HOME": "/etc/hostname"},
    "relative state": {"XDG_STATE_HOME": "state"},
    "state is a file": {"XDG_STATE_HOME": "/etc/hostname"},
    "runtime is missing": {"XDG_RUNTIME_DIR": "/no/such/folder"},
    "long runtime": {"XDG_RUNTIME_DIR": "/tmp/" + "x" * 200},
    "temporary folder is missing": {"TMPDIR": "/no/such/folder"},
    "no locale": {"LANG": "xx_XX.nonsense", "LC_ALL": "nonsense"},
    "odd terminal": {"TERM": "\x1b]0;x\x07", "COLUMNS": "-3", "LINES": "many", "NO_COLOR": ""},
    "odd settings": {"PEX_GATE__BATCH": "[", "PEX_": "x", "PEX_NO__SUCH": "\x1b[31m"},
    "git elsewhere": {"GIT_DIR": "/no/such/folder", "GIT_INDEX_FILE": "x", "GIT_CONFIG_COUNT": "x"},
    "empty path": {"PATH": ""},
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_environment_makes_a_command_end_with_an_exception(shell: Shell, name: str) -> None:
    shell.write("plan.yaml", "version: 1\ntasks:\n  - {id: a, command: 'true'}\n")
    for key, text in ENVIRONMENTS[name].items():
        if text is None:
            shell.env.pop(key)
        else:
            shell.env[key] = text
    ended = shell.pex("run", "plan.yaml", "--headless")
    assert ended.returncode in {0, 1, 2}, (ended.returncode, ended.stderr)
    assert "Traceback" not in ended.stderr, ended.stderr
    assert "\x1b" not in ended.stderr + ended.stdout
