"""Disks that are full or read-only, while a run starts and while it works.

They are real ones of a few megabytes, which only root may mount.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import Shell, shell
from tests.waiting import PATIENCE_SECONDS, wait_until

__all__ = ["shell"]

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]
PLAN = """
version: 1
tasks:
  - {id: first, writes: ["f.txt"], command: "until [ -e $GO ]; do sleep 0.02; done; echo f > f.txt"}
  - {id: second, needs: [first], writes: ["s.txt"], command: "cat f.txt > s.txt"}
"""


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount an empty disk on the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk to its last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 9, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return filler


def make_read_only(folder: Path, *, is_so: bool) -> None:
    how = "remount,ro" if is_so else "remount,rw"
    subprocess.run(["mount", "-o", how, str(folder)], check=True)


@pytest.fixture
def state(shell: Shell) -> Iterator[Path]:
    with disk(shell.top.parent / "state", 24) as folder:
        yield folder
        shell.end()


@pytest.fixture
def go(shell: Shell) -> Path:
    go = shell.top.parent / "go"
    shell.write("plan.yaml", PLAN.replace("$GO", str(go)))
    return go


def at_work(shell: Shell) -> bool:
    return any((shell.top.parent / "state").glob("pex-tui/*/runs/r1/first/1/start.json"))


def refused(shell: Shell, *args: str) -> str:
    """Run a command that can't work; return its one line."""
    ended = shell.pex(*args)
    assert ended.returncode == 2, (args, ended.returncode, ended.stderr)
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) <= 2, ended.stderr
    return ended.stderr


def all_landed(shell: Shell) -> bool:
    subjects = shell.git("log", "--format=%(trailers:key=Pex-Task,valueonly)", "main..pex/r1")
    shell.git("fsck", "--strict")
    return subjects.split() == ["second", "first"]


def test_a_state_disk_that_fills_up_holds_a_run_up_until_there_is_room(
    shell: Shell, state: Path, go: Path
) -> None:
    engine = shell.start("run", "plan.yaml", "--headless", "--name", "r1")
    wait_until(lambda: at_work(shell))
    filler = fill(state)
    go.touch()
    time.sleep(1.5)  # the engine, its shims and git meet the full disk
    assert "r1" in shell.pex("runs").stdout  # readable meanwhile
    filler.unlink()
    output, notes = engine.communicate(timeout=PATIENCE_SECONDS)
    if engine.returncode != 0:  # an attempt may have failed on it: it is tried again
        resumed = shell.pex("resume", "r1", "--headless")
        assert resumed.returncode == 0, (output, notes, resumed.stderr)
    assert "Traceback" not in notes
    assert "is full. The run waits until there is room" in notes
    assert all_landed(shell)


@pytest.mark.parametrize("command", ["run", "resume"])
def test_on_a_full_state_disk_nothing_starts_and_one_line_says_so(
    shell: Shell, state: Path, go: Path, command: str
) -> None:
    go.touch()
    assert shell.pex("run", "plan.yaml", "--headless", "--name", "r0").returncode == 0
    filler = fill(state)
    (state / "more").write_bytes(b"")
    for ballast in state.rglob("ballast"):
        ballast.unlink()
    filler.unlink()
    fill(state)
    what = ("run", "plan.yaml", "--name", "r1") if command == "run" else ("resume", "r0")
    said = refused(shell, *what, "--headless")
    assert "disk" in said.lower() or "space" in said or "nothing to resume" in said
    (state / "filler").unlink()
    assert shell.pex("run", "plan.yaml", "--headless", "--name", "r1").returncode == 0
    assert shell.git("for-each-ref", "refs/heads/pex/r1")


def test_a_full_temporary_folder_stops_no_run(shell: Shell, go: Path) -> None:
    go.touch()
    with disk(shell.top.parent / "tmp", 1) as temporary:
        fill(temporary)
        shell.env["TMPDIR"] = str(temporary)
        ended = shell.pex("run", "plan.yaml", "--headless", "--name", "r1", "--land")
        assert "Traceback" not in ended.stderr
        assert ended.returncode == 0, ended.stderr
    assert shell.git("rev-parse", "main") == shell.git("rev-parse", "pex/r1")


@pytest.mark.parametrize("had_runs", [False, True])
def test_a_read_only_state_disk_is_one_line(
    shell: Shell, state: Path, go: Path, *, had_runs: bool
) -> None:
    go.touch()
    if had_runs:
        assert shell.pex("run", "plan.yaml", "--headless", "--name", "r0").returncode == 0
    make_read_only(state, is_so=True)
    try:
        for args in (("run", "plan.yaml", "--name", "r1"), ("resume",), ("clean",), ("land",)):
            said = refused(shell, *args, *(["--headless"] if args[0] in {"run", "resume"} else []))
            assert "ead-only" in said or "not writable" in said or "no run" in said.lower(), said
        for command in ("runs", "report", "doctor"):
            ended = shell.pex(command)
            assert ended.returncode != 70, ended.stderr
            assert "Traceback" not in ended.stderr
    finally:
        make_read_only(state, is_so=False)
    assert shell.git("for-each-ref", "refs/heads/pex/r1") == ""
