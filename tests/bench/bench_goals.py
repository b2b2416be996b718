"""Time to plan a goal in a repository of 5,000 files: `pytest -m bench -s` on this file."""

import os
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from pex_tui.application.plans.plan_drafts import PlanDrafts
from pex_tui.application.project.project import open_project
from pex_tui.engine.session import Planning

pytestmark = pytest.mark.bench

FILES = 5_000
COMMITS = 200
ROUNDS = 9
MOST_SECONDS = 0.3
GOALS = (
    "Fix the typo in README.md",
    "Investigate why the module d7 fails and is slow under load",
    "Build a customer portal with login, billing, search and a dashboard",
    "Fix what is broken in f12 and f99, then release it. " * 380,
)


def git(folder: Path, *args: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of 5,000 Python files in 100 folders, and 200 commits."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = tmp_path / "large"
    for number in range(FILES):
        path = made / "src" / f"d{number % 100}" / f"f{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"N = {number}\n")
    (made / "pyproject.toml").write_text("[tool.pytest.ini_options]\n[tool.ruff]\n")
    git(made, "init", "-q")
    git(made, "config", "user.name", "Bench")
    git(made, "config", "user.email", "bench@example.org")
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "first")
    for number in range(COMMITS):
        (made / "src" / f"d{number % 7}" / f"f{number % 7}.py").write_text(f"N = -{number}\n")
        git(made, "commit", "-q", "-a", "-m", f"change {number}")
    return made


async def test_planning_is_quick(folder: Path) -> None:
    for goal in GOALS:
        taken = []
        for _ in range(ROUNDS):
            project = await open_project(folder, ["agents.planner=rules"])
            began = time.perf_counter()
            await PlanDrafts(project).compose_goal(goal, Planning())
            taken.append(time.perf_counter() - began)
        print(
            f"\n{goal[:40]:40} {1000 * statistics.median(taken):6.0f} ms "
            f"({1000 * min(taken):.0f} to {1000 * max(taken):.0f}; aim {1000 * MOST_SECONDS:.0f})",
            end="",
        )
