"""`pex-tui land`, killed at random moments while it changes the user's checkout.

A few times by default; `PEX_LAND_KILLS=100 PEX_LAND_FILES=800` is the full test.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.pex_process import PexProcess, run_pex

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("PEX_LAND_KILLS", "2"))
FILES = int(os.environ.get("PEX_LAND_FILES", "30"))
SECONDS = 4.0  # minimum time of git: after two seconds it reports its progress
WAYS = ("alone", "tree", "interrupt", "group", "terminate")
PATIENCE_SECONDS = 600.0
PLAN = """\
version: 1
goal: Change every file
tasks:
- id: all
  command: |
    for file in f/*; do echo new >> $file; done; rm f/1; mkdir g; for n in $(seq 1 20); do
    echo $n > g/$n; done
"""


def git(top: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=top, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def pex(top: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return run_pex(*args, cwd=top)


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository with a run that has landed on its own branch; smudging is slow."""
    scratch = tmp_path_factory.mktemp("land")
    config = "[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n"
    (scratch / "config").write_text(config)
    (scratch / "run").mkdir(mode=0o700)
    (scratch / "plan.yaml").write_text(PLAN)
    folder = scratch / "repo"
    (folder / "f").mkdir(parents=True)
    for number in range(FILES):
        (folder / "f" / str(number)).write_text(f"{number}\n" * 50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(scratch / "config"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("XDG_STATE_HOME", str(scratch / "state"))
        patch.setenv("XDG_RUNTIME_DIR", str(scratch / "run"))
        git(folder, "init", "-q")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "begin")
        git(folder, "config", "filter.slow.smudge", f"sleep {SECONDS / FILES}; cat")
        git(folder, "config", "filter.slow.clean", "cat")
        (folder / ".git" / "info" / "attributes").write_text("f/* filter=slow\n")
        ran = pex(folder, "run", str(scratch / "plan.yaml"), "--headless", "--name", "r")
        assert ran.returncode == 0, ran.stderr
        yield folder


def end(process: PexProcess, how: str) -> None:
    """Kill the command alone, with its group, or with all that it started; or ask it to end."""
    with suppress(psutil.Error, ProcessLookupError):
        children = psutil.Process(process.pid).children(recursive=True) if how == "tree" else []
        if how in {"alone", "tree"}:
            process.kill()
        elif how == "group":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            os.killpg(process.pid, signal.SIGINT if how == "interrupt" else signal.SIGTERM)
        for child in children:
            with suppress(psutil.Error):
                child.kill()
    process.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("seed", range(KILLS))
def test_the_next_land_finishes_what_was_killed(top: Path, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 (a seed for crashes, not for secrets)
    how, base = WAYS[seed % len(WAYS)], git(top, "rev-parse", "pex/r~1")
    git(top, "-c", "filter.slow.smudge=cat", "reset", "-q", "--hard", base)
    (top / "mine.txt").write_text("untracked\n")
    process = PexProcess(
        ["land", "r"],
        cwd=top,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not (top / ".git" / "index.lock").exists():
        assert time.monotonic() < give_up_at
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(dice.uniform(0.0, SECONDS))
    end(process, how)

    again = pex(top, "land", "r")

    assert again.returncode == 0, (how, again.stderr)
    assert git(top, "rev-parse", "main") == git(top, "rev-parse", "pex/r")
    assert git(top, "status", "--porcelain") == "?? mine.txt"
    assert not (top / ".git" / "index.lock").exists()
