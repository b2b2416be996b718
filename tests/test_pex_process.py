"""A pex-tui process forked from a warm server equals one of a new interpreter."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pex_tui.adapters.process.records import read_start
from pex_tui.adapters.storage.engine_lock import current_holder
from tests.e2e.conftest import Shell, shell
from tests.faults.soaking.world import exists
from tests.pex_process import PexProcess, run_pex
from tests.waiting import PATIENCE_SECONDS, wait_until

__all__ = ["shell"]

STATUS = ("SigBlk", "SigIgn", "SigCgt", "Umask", "NoNewPrivs")
OPEN = [*["pipe"] * 3, "anon_inode", "socket", "socket", "pipe"]  # its loop, and what it reads
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others start cold")


def reading(folder: Path, *, cold: bool) -> PexProcess:
    """Return a process that waits for input, and that any process of the user may inspect."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    commit = ("commit", "-q", "--allow-empty", "-m", "one")
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for command in (("init", "-q"), (*who, *commit)):
        subprocess.run(["git", *command], cwd=folder, env=env, check=True)
    made = PexProcess(
        ["check", "/dev/stdin"],
        cwd=folder,
        env=env,
        cold=cold,
        umask=0o027,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: is_reading(made.pid))
    return made


def is_reading(pid: int) -> bool:
    """Whether the last that it has opened is its standard input, once more."""
    links = opened(pid)
    return kinds(links) == OPEN and links[-1] == links[0]


def kinds(links: list[str]) -> list[str]:
    """Of which kind each is."""
    return [link.partition(":")[0] for link in links]


def opened(pid: int) -> list[str]:
    """What it has open, by number."""
    folder = Path(f"/proc/{pid}/fd")
    numbers = sorted(int(entry.name) for entry in folder.iterdir())
    found = []
    for number in numbers:
        with suppress(FileNotFoundError):  # it was closed meanwhile
            found.append(str((folder / str(number)).readlink()))
    return found


def seen(process: PexProcess) -> dict[str, object]:
    """Return what others see of it, and its final output."""
    proc = Path(f"/proc/{process.pid}")
    lines = (proc / "status").read_text().splitlines()
    found: dict[str, object] = {
        "status": [line for line in lines if line.startswith(STATUS)],
        "limits": (proc / "limits").read_text(),
        "folder": (proc / "cwd").readlink(),
        "open": kinds(opened(process.pid)),
        "leads": os.getsid(process.pid) == os.getpgid(process.pid) == process.pid,
        "runs": process.poll(),
    }
    found["said"] = process.communicate("tasks: {", PATIENCE_SECONDS)
    found["ended"] = process.returncode
    return found


@linux
def test_a_warm_start_is_like_a_cold_one(tmp_path: Path) -> None:
    warm, cold = (seen(reading(tmp_path, cold=cold)) for cold in (False, True))

    assert warm == cold
    assert warm["ended"] == 2


@linux
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 130)])
def test_a_signal_ends_it_as_it_would_any_process(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = reading(tmp_path, cold=False)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == code
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_the_program_starts_cold_as_well(tmp_path: Path) -> None:
    assert run_pex("--version", cwd=tmp_path, cold=True).stdout.startswith("pex-tui ")


SESSION = """
import json, sys
from pathlib import Path
from tests.pex_process import PexProcess
argv, env = ["run", "plan.yaml", "--headless"], json.loads(sys.argv[2])
engine = PexProcess(argv, cwd=Path(sys.argv[1]), env=env)
sys.stdin.read()
"""


@linux
def test_a_test_session_that_is_killed_leaves_no_engine_and_no_agent(shell: Shell) -> None:
    state = shell.top.parent / "state"
    shell.write("plan.yaml", "tasks:\n  - {id: a, command: 'while :; do sleep 1; done'}\n")
    session = subprocess.Popen(
        [sys.executable, "-c", SESSION, str(shell.top), json.dumps(shell.env)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: [*state.glob("pex-tui/*/runs/*/a/1/start.json")])
    (folder,) = state.glob("pex-tui/*/runs/*/a/1")
    wait_until(lambda: (record := read_start(folder)) is not None and record.root_pid > 0)
    session.kill()
    session.communicate()
    (lock,) = state.glob("pex-tui/*/engine.lock")
    wait_until(lambda: current_holder(lock) is None)
    record = read_start(folder)
    assert record is not None
    wait_until(lambda: not exists(record.root_pid) and not exists(record.shim_pid))
