"""Time for workspaces of 10,000 files: `pytest -m bench -s` on this file."""

import os
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.repository import Repository, discover
from pex_tui.adapters.git.plumbing.stand_in_directory import stand_in_for
from pex_tui.adapters.git.workspaces.provider import GitWorkspaces
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.plan import Isolation, TaskSpec
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.run_paths import RunPaths

FILES = 10_000
ROUNDS = 9
WRITER = TaskSpec(TaskId("w"), ("true",), commit_message="work")
READER = TaskSpec(TaskId("r"), ("true",), writes=(), isolation=Isolation.SHARED)


def git(folder: Path, *args: str) -> str:
    """Run git in a folder; return its output without the last newline."""
    done = subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True)
    return os.fsdecode(done.stdout).removesuffix("\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of 10,000 files of 1 kB in 200 folders, and a second commit with 10 changed."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    made = tmp_path / "large"
    for number in range(FILES):
        path = made / f"d{number % 200}" / f"f{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n" + "x" * 1000)
    git(made, "init", "-q")
    git(made, "config", "user.name", "Bench")
    git(made, "config", "user.email", "bench@example.org")
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "one")
    for number in range(10):
        (made / f"d{number}" / f"f{number}.txt").write_text("changed")
    git(made, "commit", "-q", "-a", "-m", "two")
    return made


async def seconds(action: Callable[[], Awaitable[object]]) -> float:
    """Return the duration of the action."""
    began = time.perf_counter()
    await action()
    return time.perf_counter() - began


def told(name: str, taken: list[float]) -> float:
    """Print the median and the range in milliseconds; return the median in seconds."""
    low, middle, high = min(taken), statistics.median(taken), max(taken)
    print(f"\n{name:38} {middle * 1e3:8.2f} ms  ({low * 1e3:.2f}-{high * 1e3:.2f})", end="")
    return middle


def key(number: int, task: str) -> AttemptKey:
    """Return the attempt with this number."""
    return AttemptKey(RunId("bench"), TaskId(task), number)


async def worktree_add_seconds(repository: Repository, tmp_path: Path) -> float:
    """Return the duration of plain `git worktree add`."""
    taken = []
    for number in range(3):
        command = ("worktree", "add", "--detach", str(tmp_path / f"plain{number}"))
        taken.append(await seconds(lambda command=command: repository.git.run(*command)))  # type: ignore[misc]  # a lambda's default has no type
    return told("git worktree add", taken)


@pytest.mark.bench
async def test_a_pooled_workspace_is_ten_times_faster_than_worktree_add(
    folder: Path, tmp_path: Path
) -> None:
    found = await discover(folder)
    repository = await stand_in_for(found, tmp_path / "settings")
    tips = [CommitId(git(folder, "rev-parse", name)) for name in ("HEAD", "HEAD~1")]
    plain = await worktree_add_seconds(found, tmp_path)
    workspaces = GitWorkspaces(repository, RunPaths(tmp_path / "state"))
    prepared, captured, away = [], [], []
    for number in range(ROUNDS):
        mine = key(number, "w")
        commit = tips[0] if number < ROUNDS // 2 else tips[number % 2]
        taken = await seconds(lambda: workspaces.prepare(mine, WRITER, commit))  # noqa: B023 (awaited at once)
        if number == 0:
            told("first workspace", [taken])
        elif number < ROUNDS // 2:
            prepared.append(taken)
        else:
            away.append(taken)
        path = workspaces.path(mine)
        assert path is not None
        (path / "d0" / "f0.txt").write_text(f"work {number}")
        (path / "new.txt").write_text("new")
        captured.append(await seconds(lambda: workspaces.capture(mine, WRITER)))  # noqa: B023 (awaited at once)
    same = told("pooled, same commit, 2 files changed", prepared)
    told("pooled, another commit, 10 files away", away)
    told("capture of 2 files", captured)
    print(f"\npooled against worktree add: {plain / same:.1f} times faster")
    assert same * 10 <= plain


@pytest.mark.bench
async def test_the_next_reader_costs_milliseconds(folder: Path, tmp_path: Path) -> None:
    repository = await stand_in_for(await discover(folder), tmp_path / "settings")
    workspaces = GitWorkspaces(repository, RunPaths(tmp_path / "state"))
    head = await repository.head()
    taken, looks = [], []
    for number in range(20):
        mine = key(number, "r")
        taken.append(await seconds(lambda: workspaces.prepare(mine, READER, head)))  # noqa: B023 (awaited at once)
        looks.append(await seconds(lambda: workspaces.capture(mine, READER)))  # noqa: B023 (awaited at once)
    told("first reader", taken[:1])
    typical = told("next readers", taken[1:])
    told("capture of a reader", looks)
    assert typical * 10 <= taken[0]
