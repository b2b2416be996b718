"""Possible holders of a git lock: unreadable processes count, ended ones do not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pex_tui.adapters.git.plumbing.ref_lock import is_orphaned, suspects


class SeenGit:
    """A git among the processes; reading it raises."""

    pid = 4711

    def __init__(self, lock: Path, error: psutil.Error) -> None:
        found = lock.stat()
        uids: Any = type("Uids", (), {"effective": found.st_uid})
        self.info = {"name": "git", "create_time": 0.0, "status": "running", "uids": uids}
        self._error = error

    def open_files(self) -> list[Any]:
        raise self._error

    def cmdline(self) -> list[str]:
        raise self._error


@pytest.mark.parametrize(
    ("error", "holder"),
    [
        (psutil.NoSuchProcess(4711), ""),
        (psutil.ZombieProcess(4711), ""),
        (psutil.AccessDenied(4711), "git, pid 4711"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_git_that_ended_while_it_was_looked_at_holds_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: psutil.Error, holder: str
) -> None:
    lock = tmp_path / "index.lock"
    lock.touch()

    def processes(_names: list[str]) -> Iterator[SeenGit]:
        yield SeenGit(lock, error)

    monkeypatch.setattr(psutil, "process_iter", processes)

    assert suspects(lock) == holder
    assert is_orphaned(lock, aged_seconds=0.0) is not bool(holder)
