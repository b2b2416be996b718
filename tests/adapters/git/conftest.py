"""Small real repositories, with a git configuration of their own."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pex_tui.adapters.git.repository import Repository, discover
from pex_tui.engine.places import Places

_CONFIG = """\
[user]
    name = Ada Lovelace
    email = ada@example.org
[init]
    defaultBranch = main
[protocol "file"]
    allow = always
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A checkout, and git in it as its user would type it."""

    path: Path

    def git(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run git in the checkout; its output without the last newline."""
        return git_in(self.path, *args, env=env)

    def write(self, name: str, content: str | bytes = "") -> Path:
        """Write a file of the checkout, folders included."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, files: Mapping[str, str | bytes], message: str = "change") -> str:
        """Write the files, commit everything, and return the commit."""
        for name, content in files.items():
            self.write(name, content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


def git_in(folder: Path, *args: str, env: Mapping[str, str] | None = None) -> str:
    """Run git in a folder; its output without the last newline."""
    done = subprocess.run(
        ["git", *args],
        cwd=folder,
        env={**os.environ, **(env or {})},
        check=True,
        capture_output=True,
    )
    return os.fsdecode(done.stdout).removesuffix("\n")


@pytest.fixture(autouse=True)
def _own_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's configuration and whoever runs the tests must not matter."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(_CONFIG)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".local" / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository on `main` with two commits and a few files; its path holds a space."""
    folder = tmp_path / "my project"
    folder.mkdir()
    made = Project(folder)
    made.git("init", "-q")
    made.commit({"README.md": "# Sample\n", ".gitignore": "*.log\nbuild/\n.env\n"}, "begin")
    made.commit({"src/one.py": "one = 1\n", "src/two.py": "two = 2\n", "docs/a.md": "a\n"}, "more")
    return made


@pytest.fixture
async def repository(project: Project) -> Repository:
    """The project as the product sees it."""
    return await discover(project.path)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """The repository's state directory."""
    root = tmp_path / "state"
    root.mkdir()
    return Places(root)
