"""Which git is run."""

from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.git_runner import ask_git


def plant(folder: Path) -> None:
    git = folder / "git"
    git.write_text("#!/bin/sh\necho planted\n")
    git.chmod(0o755)


async def test_a_git_in_a_repository_is_not_run_though_path_names_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path)
    monkeypatch.setenv("PATH", ".:", prepend=":")
    monkeypatch.chdir(tmp_path)
    assert (await ask_git(tmp_path, "--version")).text.startswith("git version")


async def test_a_git_that_is_put_before_ours_later_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    version = (await ask_git(tmp_path, "--version")).text
    plant(tmp_path)
    assert (await ask_git(tmp_path, "--version")).text == version
