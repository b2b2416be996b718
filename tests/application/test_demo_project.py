import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pex_tui.application.demo_project import make_demo
from pex_tui.errors import UserError
from pex_tui.resources import shipped
from tests.pex_process import run_pex

SAMPLE = shipped("config") / "demo" / "project"


@pytest.fixture
def quiet_home(tmp_path: Path) -> dict[str, str]:
    """An environment without the user's own configuration."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "DEMO_PACE": "0",
        "LANG": "C.UTF-8",
    }


def git(directory: Path, *args: str) -> str:
    ended = subprocess.run(
        ["git", "-C", str(directory), *args], check=True, capture_output=True, text=True
    )
    return ended.stdout.strip()


def test_the_sample_is_a_clean_repository_with_a_plan(tmp_path: Path) -> None:
    plan = make_demo(SAMPLE, tmp_path / "shop")

    assert plan.is_file()
    assert git(plan.parent, "status", "--porcelain") == ""
    assert git(plan.parent, "log", "--format=%s").splitlines()[-1] == "A small shop, with tests"


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(UserError, match="not empty"):
        make_demo(SAMPLE, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_demo_lands_everything_after_one_conflict(
    tmp_path: Path, quiet_home: dict[str, str]
) -> None:
    shop = tmp_path / "shop"
    options = ("--headless", "--json", "--dir", str(shop))
    ended = run_pex("demo", *options, cwd=tmp_path, env=quiet_home)
    events = [json.loads(line) for line in ended.stdout.splitlines()]

    assert ended.returncode == 0, ended.stderr
    assert events[-1]["outcome"] == "ok"
    (conflict,) = [event for event in events if event["event"] == "merge_conflicted"]
    assert {conflict["task"], *conflict["against"]} == {"logging", "type-hints"}
    branch = git(shop, "for-each-ref", "--format=%(refname)", "refs/heads/pex/")
    checkout = git(shop, "show", f"{branch}:shop/checkout.py")
    assert "LOG.info" in checkout
    assert "basket: list" in checkout
    git(shop, "checkout", "--quiet", branch.removeprefix("refs/heads/"))
    tests = subprocess.run(
        [sys.executable, "-m", "unittest", "-q"], cwd=shop, capture_output=True, check=False
    )
    assert tests.returncode == 0
