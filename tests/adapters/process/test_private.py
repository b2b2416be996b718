"""Processes that control a run keep their environment from the agents of the same user."""

import subprocess
import sys
from pathlib import Path

import pytest

ASKED = (
    "import ctypes, sys; from pex_tui.cli.main import main\n"
    "main(sys.argv[1:]); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone can do that")
@pytest.mark.parametrize("command", ["run", "resume", "land", "plan", "attach"])
def test_commands_that_steer_are_closed_to_other_processes_of_the_user(
    tmp_path: Path, command: str
) -> None:
    argv = [sys.executable, "-c", ASKED, command, *(["x/y.yaml"] if command in "run plan" else [])]
    asked = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert asked.stdout.split()[-1] == "0"
