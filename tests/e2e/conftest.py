"""The command line in a small repository, with its own home and state directory."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.first_commits import Repositories
from tests.pex_process import PexProcess, run_pex
from tests.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Shell:
    """A repository and the environment that commands run in."""

    top: Path
    env: dict[str, str]
    started: list[PexProcess] = field(default_factory=list)

    def pex(
        self, *args: str, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run pex-tui to its end with `stdin` as input."""
        return run_pex(*args, cwd=cwd or self.top, env=self.env, stdin=stdin)

    def start(self, *args: str, **options: Any) -> PexProcess:
        """Start pex-tui and leave it running."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = PexProcess(args, cwd=self.top, env=self.env, **{**pipes, **options})
        self.started.append(process)
        return process

    def end(self) -> None:
        """End what a failed test left running, with its agents."""
        for process in self.started:
            if process.poll() is None:
                for number in (signal.SIGTERM, signal.SIGHUP):
                    process.send_signal(number)
                process.communicate(timeout=PATIENCE_SECONDS)

    def git(self, *args: str, cwd: Path | None = None) -> str:
        """Run git and return its output."""
        ended = subprocess.run(
            ["git", *args],
            cwd=cwd or self.top,
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        )
        return ended.stdout.strip()

    def write(self, name: str, text: str) -> Path:
        """Write a file of the repository."""
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def traces(self) -> str:
        """Return what a run would leave in the repository."""
        refs = self.git("for-each-ref", "refs/pex", "refs/heads/pex")
        worktrees = self.git("worktree", "list", "--porcelain").count("worktree ")
        return f"{refs}{'' if worktrees == 1 else worktrees}"


@pytest.fixture
def shell(tmp_path: Path, repositories: Repositories) -> Iterator[Shell]:
    home, top = tmp_path / "home", tmp_path / "repo"
    home.mkdir(exist_ok=True)
    repositories.make(top, (("init", {"src/a.txt": "one\n"}),))
    (home / ".gitconfig").write_text(
        "[user]\n name = Ada\n email = ada@example.org\n[init]\n defaultBranch = main\n"
    )
    runtime = Path(tempfile.mkdtemp(prefix="pex-e2e-"))
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_RUNTIME_DIR": str(runtime),
        "LANG": "C.UTF-8",
        "PEX_AGENTS__PLANNER": "rules",  # never the coding agent of the user who runs the tests
        # where agents leave marks for the tests, and what those harm that misbehave
        "PEX_SAFETY__WRITABLE": f"[{tmp_path}, {top}, {top}/.git]",
    }
    made = Shell(top, env)
    yield made
    made.end()
    shutil.rmtree(runtime, ignore_errors=True)
