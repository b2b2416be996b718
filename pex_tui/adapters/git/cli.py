"""Runs git safely: explicit directories, no hooks, no prompts, bounded time."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# What an agent plants in a repository's configuration must never run in our git.
SAFE_CONFIG = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "commit.gpgSign=false",
    "protocol.file.allow=user",
)
_TIMEOUT_SECONDS = 600.0
_SCRUBBED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG")


class GitError(Exception):
    """A git command failed: its words, and the command for the log."""

    def __init__(self, args: tuple[str, ...], status: int, stderr: str) -> None:
        self.git_args = args
        self.status = status
        self.stderr = stderr.strip()
        super().__init__(self.stderr or f"git {' '.join(args)} ended with {status}")


@dataclass(frozen=True, slots=True)
class GitResult:
    """What a git command answered."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text, without the last newline."""
        return self.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


@dataclass(frozen=True, slots=True)
class Git:
    """Git on one repository and, where given, one work tree and index.

    `git_dir` and `work_tree` are always passed explicitly, so that a planted `.git` file or
    configuration in a workspace redirects nothing.
    """

    git_dir: Path
    work_tree: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    async def run(
        self,
        *args: str,
        stdin: bytes = b"",
        ok: tuple[int, ...] = (0,),
        env: Mapping[str, str] | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> GitResult:
        """Run a command; raise GitError when its status is not one of `ok`."""
        process = await asyncio.create_subprocess_exec(
            *self._argv(args),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.work_tree or self.git_dir,
            env=self._environment(env or {}),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout_seconds):
                stdout, stderr = await process.communicate(stdin)
        except TimeoutError:
            raise GitError(args, -1, f"no answer within {timeout_seconds:.0f} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        result = GitResult(process.returncode or 0, stdout, stderr.decode("utf-8", "replace"))
        if result.status not in ok:
            raise GitError(args, result.status, result.stderr)
        return result

    async def text(self, *args: str, stdin: bytes = b"") -> str:
        """Run a command and return its output as text, without the last newline."""
        return (await self.run(*args, stdin=stdin)).text

    def at(self, work_tree: Path, git_dir: Path | None = None) -> "Git":
        """The same git on another work tree (and its own git directory, for a worktree)."""
        return Git(git_dir or self.git_dir, work_tree, self.env)

    def _argv(self, args: tuple[str, ...]) -> list[str]:
        argv = ["git", f"--git-dir={self.git_dir}"]
        if self.work_tree is not None:
            argv.append(f"--work-tree={self.work_tree}")
        for setting in SAFE_CONFIG:
            argv += ["-c", setting]
        return [*argv, *args]

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        inherited = {name: text for name, text in os.environ.items() if name not in _SCRUBBED}
        return inherited | {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_EDITOR": "true",
            "LC_ALL": "C.UTF-8",
            **self.env,
            **extra,
        }
