"""Machines that lose power: every process is gone, and the next boot finds what was on disk."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pex_tui.adapters.process.records import EXIT, START
from tests.e2e.conftest import Shell, shell
from tests.pex_process import PexProcess
from tests.waiting import wait_until

__all__ = ["shell"]

pytestmark = pytest.mark.faults
PLAN = """
version: 1
tasks:
  - {id: quick, writes: ["q.txt"], command: "echo q > q.txt"}
  - {id: slow, writes: ["*"], command: "echo $PEX_ATTEMPT >> half.txt;
      until [ -e $GO ]; do sleep 0.02; done; echo s > s.txt"}
"""


@pytest.fixture
def engine(shell: Shell) -> PexProcess:
    """A run in whose slow task power is cut."""
    at = shell.top.parent
    shell.write("plan.yaml", PLAN.replace("$GO", str(at / "go")))
    shell.git("add", "-A")
    shell.git("commit", "-qm", "plan")
    engine = shell.start("run", "plan.yaml", "--headless", "--name", "r1")
    wait_until(lambda: [*at.glob("state/pex-tui/*/pool/*/half.txt")] and "quick" in landed(shell))
    return engine


def landed(shell: Shell) -> list[str]:
    if not shell.git("for-each-ref", "refs/heads/pex/r1"):
        return []
    return shell.git("log", "--format=%(trailers:key=Pex-Task,valueonly)", "main..pex/r1").split()


def attempt(shell: Shell) -> Path:
    (folder,) = (shell.top.parent / "state").glob("pex-tui/*/runs/r1/slow/1")
    return folder


def cut_power(shell: Shell, engine: PexProcess) -> None:
    """Kill the engine, and all that its shims are and have."""
    start = json.loads((attempt(shell) / START).read_text())
    shim = psutil.Process(start["shim_pid"])
    launcher = shim.parent()
    assert launcher is not None
    tree = [launcher, *launcher.children(recursive=True)]
    engine.kill()
    for act in (psutil.Process.suspend, psutil.Process.kill):  # nobody cleans up behind another
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                act(process)
    psutil.wait_procs(tree)
    engine.communicate()


def other_boot(folder: Path) -> None:
    record = json.loads((folder / START).read_text())
    (folder / START).write_text(json.dumps(record | {"boot_id": "another boot"}))


def torn(folder: Path) -> None:
    (folder / START).write_bytes((folder / START).read_bytes()[:40])


def emptied(folder: Path) -> None:
    (folder / START).write_bytes(b"")
    (folder / EXIT).write_bytes(b"")


def removed(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (other_boot, "the machine was restarted while it worked"),
        (torn, "the record of its start is damaged, and its process is gone"),
        (emptied, "the record of its start is damaged, and its process is gone"),
        (removed, "the records of its process are missing"),
    ],
)
def test_after_a_power_cut_the_work_so_far_is_kept_and_the_task_runs_again(
    shell: Shell, engine: PexProcess, harm: Callable[[Path], None], words: str
) -> None:
    cut_power(shell, engine)
    harm(attempt(shell))
    (shell.top.parent / "go").touch()

    resumed = shell.pex("resume", "r1", "--headless")

    assert resumed.returncode == 0, resumed.stderr
    assert sorted(landed(shell)) == ["quick", "slow"]
    assert shell.git("show", "refs/pex/r1/slow/1:half.txt") == "1"
    assert shell.git("show", "pex/r1:half.txt") == "2"
    shell.git("fsck", "--strict")
    assert "slow was at work then and looked for now; 1 of 2 tasks had succeeded" in resumed.stderr
    assert words in resumed.stderr
