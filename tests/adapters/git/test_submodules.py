"""Commits that only a worktree's submodule holds are noticed before the worktree goes."""

import subprocess
from pathlib import Path

import pytest

from pex_tui.adapters.git.submodules import unpushed_submodules


def git(folder: Path, *args: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(folder), *identity, *args], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone whose git directory lies where that of a submodule does."""
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    git(upstream, "init", "--quiet")
    git(upstream, "commit", "--quiet", "--allow-empty", "-m", "one")
    place = tmp_path / "worktree"
    modules = tmp_path / "gitdir" / "modules" / "libs"
    modules.mkdir(parents=True)
    separate = f"--separate-git-dir={modules / 'sub'}"
    git(tmp_path, "clone", "--quiet", separate, str(upstream), str(place))
    return place


async def test_a_submodule_as_its_remote_has_it_is_no_loss(checkout: Path) -> None:
    assert await unpushed_submodules(checkout.parent / "gitdir") == ()


@pytest.mark.parametrize("how", ["branch", "detached"])
async def test_commits_of_its_own_are_named_by_the_submodule(checkout: Path, how: str) -> None:
    if how == "detached":
        git(checkout, "checkout", "--quiet", "--detach")
    git(checkout, "commit", "--quiet", "--allow-empty", "-m", "precious")

    assert await unpushed_submodules(checkout.parent / "gitdir") == ("libs/sub",)


async def test_without_submodules_there_is_nothing_to_lose(tmp_path: Path) -> None:
    assert await unpushed_submodules(tmp_path) == ()
