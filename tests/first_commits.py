"""Repositories that tests start with: git makes each once per process, and tests get copies."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_WHO = ("-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.org")
_NO_OTHER_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}

Commits = tuple[tuple[str, Mapping[str, str]], ...]
"""The message of each commit and the files that it writes."""


class Repositories:
    """Makes repositories on `main`; the folder keeps the originals."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[object, ...], Path] = {}

    def make(self, path: Path, commits: Commits) -> None:
        """Make a checkout with these commits at the path."""
        key = tuple((message, *files.items()) for message, files in commits)
        if key not in self._made:
            original = self._folder / str(len(self._made))
            _commit_all(original, commits)
            self._made[key] = original
        shutil.copytree(self._made[key], path, symlinks=True, dirs_exist_ok=True)
        _git(path, "update-index", "-q", "--refresh")  # it also knows inodes and times


def _commit_all(path: Path, commits: Commits) -> None:
    path.mkdir()
    _git(path, "init", "-q", "-b", "main")
    for sample in (path / ".git" / "hooks").glob("*.sample"):
        sample.unlink()
    for message, files in commits:
        for name, text in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text)
        _git(path, "add", "-A")
        _git(path, *_WHO, "commit", "-q", "-m", message)


def _git(path: Path, *args: str) -> None:
    unbound = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *args], cwd=path, env=unbound | _NO_OTHER_SETTINGS, check=True)
