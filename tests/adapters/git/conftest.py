"""Small real repositories, with a git configuration of their own."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.repository import Identity, Repository
from pex_tui.adapters.git.plumbing.stand_in_directory import stand_in_for
from pex_tui.adapters.git.workspaces.provider import GitWorkspaces
from pex_tui.adapters.git.workspaces.workspace_options import WorkspaceOptions
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.plan import Isolation, TaskSpec
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.ports import Captured
from pex_tui.engine.run_paths import RunPaths
from tests.first_commits import Repositories

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

    def git(self, *args: str, env: Mapping[str, str] | None = None, stdin: str = "") -> str:
        """Run git in the checkout; its output without the last newline."""
        return git_in(self.path, *args, env=env, stdin=stdin)

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


def git_in(folder: Path, *args: str, env: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """Run git in a folder; its output without the last newline."""
    done = subprocess.run(
        ["git", *args],
        cwd=folder,
        env={**os.environ, **(env or {})},
        check=True,
        capture_output=True,
        input=stdin.encode(),
    )
    return os.fsdecode(done.stdout).removesuffix("\n")


@pytest.fixture(autouse=True)
def _own_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Isolate the tests from the configuration of the machine and the user."""
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
def project(tmp_path: Path, repositories: Repositories) -> Project:
    """A repository on `main` with two commits and a few files; its path holds a space."""
    folder = tmp_path / "my project"
    repositories.make(
        folder,
        (
            ("begin", {"README.md": "# Sample\n", ".gitignore": "*.log\nbuild/\n.env\n"}),
            ("more", {"src/one.py": "one = 1\n", "src/two.py": "two = 2\n", "docs/a.md": "a\n"}),
        ),
    )
    return Project(folder)


@pytest.fixture
def repository(project: Project) -> Repository:
    """The project as the product discovers it."""
    top_level = project.path.resolve()
    return Repository(top_level, top_level / ".git", top_level / ".git")


@pytest.fixture
def places(tmp_path: Path) -> RunPaths:
    """The repository's state directory."""
    root = tmp_path / "state"
    root.mkdir()
    return RunPaths(root)


RUN = RunId("7f3a")
ADA = Identity(*("Ada Lovelace", "ada@example.org") * 2)
"""Whom the configuration of these tests names."""


def key_of(task: str = "task", attempt: int = 1) -> AttemptKey:
    """Return an attempt of the tests' only run."""
    return AttemptKey(RUN, TaskId(task), attempt)


def writer(writes: tuple[str, ...] | None = None, message: str = "Do it") -> TaskSpec:
    """Return a task with a workspace of its own."""
    return TaskSpec(TaskId("task"), ("true",), writes=writes, commit_message=message)


def reader() -> TaskSpec:
    """Return a task in a shared checkout."""
    return TaskSpec(TaskId("task"), ("true",), writes=(), isolation=Isolation.SHARED)


@dataclass(slots=True)
class Bench:
    """Workspaces of the project, and operations of a test on them."""

    project: Project
    repository: Repository
    places: RunPaths
    workspaces: GitWorkspaces

    async def prepare(self, key: AttemptKey, spec: TaskSpec, commit: str = "HEAD") -> Path:
        """Prepare a workspace of the commit; return its path."""
        oid = CommitId(self.project.git("rev-parse", commit))
        made = await self.workspaces.prepare(key, spec, oid)
        assert made.commit == oid
        assert self.workspaces.path(key) == made.path
        return made.path

    async def capture(self, key: AttemptKey, spec: TaskSpec | None = None) -> Captured:
        """Capture the attempt's work."""
        return await self.workspaces.capture(key, spec or writer())

    def restart(self, options: WorkspaceOptions | None = None) -> None:
        """Let another engine take over, as after a crash."""
        self.workspaces = GitWorkspaces(
            self.repository, self.places, options or self.workspaces.options, ADA
        )

    def show(self, commit: str | None, path: str) -> str:
        """Return a path's content in a captured commit."""
        assert commit is not None
        return self.project.git("show", f"{commit}:{path}")

    def worktrees(self) -> list[str]:
        """Return all worktrees of the repository and all workspaces, the user's first."""
        lines = self.project.git("worktree", "list", "--porcelain").split("\n")
        known = [line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")]
        made = [*self.places.pool.glob("*/.git"), *self.places.views.glob("*/.git")]
        return known + [str(git_dir.parent) for git_dir in sorted(made)]

    def refs(self) -> dict[str, str]:
        """Return our refs and the commits they name."""
        lines = self.project.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/pex")
        return dict(line.split(" ") for line in lines.split("\n") if line)


def with_stand_in(repository: Repository, places: RunPaths) -> Repository:
    """Return the repository with its current settings, as for a run; for sync code too."""
    folder = places.root.resolve().with_name("settings")
    with ThreadPoolExecutor(1) as thread:
        live = replace(repository, stand_in=None)
        return thread.submit(asyncio.run, stand_in_for(live, folder)).result()


@pytest.fixture
def bench(project: Project, repository: Repository, places: RunPaths) -> Bench:
    """Workspaces with the default options."""
    repository = with_stand_in(repository, places)
    workspaces = GitWorkspaces(repository, places, WorkspaceOptions(), ADA)
    return Bench(project, repository, places, workspaces)
