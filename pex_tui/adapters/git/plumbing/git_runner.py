"""Run git safely: explicit directories, no hooks, no prompts, limited time."""

import asyncio
import os
import shutil
import signal
import tempfile
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from pex_tui.adapters.system.captured_run import CapturedRun, run_captured
from pex_tui.adapters.system.child_process import run_through, running

# Commands that an agent may have put into a repository's configuration must never run in our git.
SAFE_CONFIG = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "commit.gpgSign=false",
    "protocol.file.allow=user",
    # A ref must never outlive a power cut that its objects do not; git alone syncs no loose object.
    "core.fsync=committed",
    "core.fsyncMethod=batch",
)
# A required filter without a program would fail every checkout.
_NO_LFS = (
    "filter.lfs.required=false",
    "filter.lfs.process=",
    "filter.lfs.clean=",
    "filter.lfs.smudge=",
)
# A checkout's own configuration must not hide files from us.
WHOLE_TREE = (
    *("-c", "core.sparseCheckout=false", "-c", "index.sparse=false", "-c", "core.splitIndex=false"),
    *("-c", "submodule.recurse=false", "-c", "core.safecrlf=false"),
)
# With these variables, only the configuration of the git directory itself applies.
NO_OTHER_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
_TIMEOUT_SECONDS = 600.0
# They change nothing, and add objects at most: one that somebody killed is asked again.
_REPEATABLE = frozenset(
    {
        *("cat-file", "check-attr", "commit-tree", "diff-index", "diff-tree", "for-each-ref"),
        *("grep", "hash-object", "ls-files", "ls-tree", "merge-base", "merge-tree", "rev-list"),
        *("rev-parse", "show-ref", "write-tree"),
    }
)
# Parts of git's messages for refusals that do not pass.
_PERMANENT = (
    "Permission denied",
    "Operation not permitted",
    "not a git repository",
    "' exists; cannot create '",
    "there are still refs under",
    "would be overwritten by",
    "not uptodate",
    "would lose untracked files",
    "unmerged files",
    "Not possible to fast-forward",
    "Diverging branches",
    "is not a valid ref",
    "refusing to update",
)
# Variables with which a calling hook or alias may have bound git to its own repository.
BINDING_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)


class GitError(Exception):
    """A failed git command: git's message, and the command for the log."""

    def __init__(self, args: tuple[str, ...], status: int, stderr: str) -> None:
        self.git_args = args
        self.status = status
        self.stderr = stderr.strip()
        how = f"was killed by signal {-status}" if status < 0 else f"ended with {status}"
        super().__init__(self.stderr or f"git {' '.join(args)} {how}")

    @property
    def may_pass(self) -> bool:
        """False if git would refuse the same again, whatever else happens meanwhile."""
        return not any(words in self.stderr for words in _PERMANENT)


class GitResult(Struct, frozen=True):
    """The result of a git command."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text, without the last newline."""
        return self.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


class Git(Struct, frozen=True):
    """Git on one repository and optionally one work tree and index.

    `git_dir` and `work_tree` are always passed explicitly, so that no `.git` file or configuration
    planted in a workspace redirects git.
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
        pass_fds: tuple[int, ...] = (),
        most_bytes: int | None = None,
        ends_with_us: bool = False,
    ) -> GitResult:
        """Run a command; raise GitError if its status is not one of `ok`.

        Git inherits `pass_fds`: a lock held through one is held until git has ended. A command is
        ended once it has printed more than `most_bytes`; its result then holds at least one byte
        more. One with `most_bytes` that `ends_with_us`, because it may wait for a network, is also
        ended when this process is killed.
        """
        return await _run(
            self._argv(args),
            args,
            self.work_tree or self.git_dir,
            environment({**self.env, **(env or {})}),
            stdin=stdin,
            ok=ok,
            timeout_seconds=timeout_seconds,
            pass_fds=pass_fds,
            most_bytes=most_bytes,
            ends_with_us=ends_with_us,
        )

    async def run_through(
        self, *args: str, stdin: bytes = b"", pass_fds: tuple[int, ...] = ()
    ) -> None:
        """Run a command that changes the user's own files; raise GitError if it fails.

        Nothing interrupts it: not a cancellation, which waits for its end, not a signal, and not
        the death of this process, because it writes into files. `pass_fds` as in `run`.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            try:
                status = await run_through(
                    tuple(self._argv(args)),
                    self.work_tree or self.git_dir,
                    environment(self.env),
                    output,
                    stdin=given,
                    pass_fds=pass_fds,
                )
            except OSError as error:
                raise GitError(args, -1, str(error)) from None
            output.seek(0)
            if status != 0:
                raise GitError(args, status, output.read().decode("utf-8", "replace"))

    async def text(self, *args: str, stdin: bytes = b"") -> str:
        """Run a command and return its output as text, without the last newline."""
        return (await self.run(*args, stdin=stdin)).text

    def at(self, work_tree: Path, git_dir: Path | None = None) -> "Git":
        """Return the same git on another work tree (and its own git directory, for a worktree)."""
        return replace(self, git_dir=git_dir or self.git_dir, work_tree=work_tree)

    def _argv(self, args: tuple[str, ...]) -> list[str]:
        argv = [git_program(), f"--git-dir={self.git_dir}"]
        if self.work_tree is not None:
            argv.append(f"--work-tree={self.work_tree}")
        return [*argv, *_settings(), *args]


async def ask_git(folder: Path, *args: str, ok: tuple[int, ...] = (0,)) -> GitResult:
    """Run git in a folder and let it discover the repository; raise GitError.

    Only for the user's own folders, before the repository is known.
    """
    return await _run(
        [git_program(), *_settings(), *args],
        args,
        folder,
        environment({}),
        ok=ok,
    )


def git_program() -> str:
    """Return the path of git: what is put into a folder of PATH later is not run."""
    return _found_in(os.environ.get("PATH", os.defpath))


@cache
def _found_in(path: str) -> str:
    """Return git in the folders that are named in full: others would be those of a repository."""
    folders = [folder for folder in path.split(os.pathsep) if Path(folder).is_absolute()]
    return shutil.which("git", path=os.pathsep.join(folders)) or "git"


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for git and its children: bound to no repository, without prompts."""
    inherited = {name: text for name, text in os.environ.items() if name not in BINDING_VARIABLES}
    return inherited | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_EDITOR": "true",
        "LC_ALL": "C.UTF-8",
        **extra,
    }


@cache
def _settings() -> tuple[str, ...]:
    """Return our settings as options; without git-lfs, its files stay pointers."""
    lfs = () if shutil.which("git-lfs") else _NO_LFS
    return tuple(option for setting in (*SAFE_CONFIG, *lfs) for option in ("-c", setting))


async def _run(
    argv: list[str],
    args: tuple[str, ...],
    folder: Path,
    env: dict[str, str],
    *,
    stdin: bytes = b"",
    ok: tuple[int, ...] = (0,),
    timeout_seconds: float = _TIMEOUT_SECONDS,
    pass_fds: tuple[int, ...] = (),
    most_bytes: int | None = None,
    ends_with_us: bool = False,
) -> GitResult:
    command = tuple(argv)

    async def once() -> CapturedRun:
        if most_bytes is None:
            return await run_captured(command, folder, env, stdin=stdin, pass_fds=pass_fds)
        return await _listen(command, folder, env, most_bytes, ends_with_us=ends_with_us)

    try:
        async with asyncio.timeout(timeout_seconds):
            ended = await once()
            if ended.status == -signal.SIGKILL and args[0] in _REPEATABLE:
                ended = await once()
    except TimeoutError:
        raise GitError(args, -1, f"no answer within {timeout_seconds:.0f} s") from None
    except OSError as error:  # git or the folder is missing, or no process can be started
        raise GitError(args, -1, str(error)) from None
    result = GitResult(ended.status, ended.stdout, ended.stderr.decode("utf-8", "replace"))
    is_cut = most_bytes is not None and len(result.stdout) > most_bytes
    if result.status not in ok and not is_cut:
        raise GitError(args, result.status, result.stderr)
    return result


async def _listen(
    argv: tuple[str, ...],
    folder: Path,
    env: dict[str, str],
    most_bytes: int,
    *,
    ends_with_us: bool,
) -> CapturedRun:
    """Run a command without input, reading its output meanwhile; end it if it prints too much."""
    pipe = asyncio.subprocess.PIPE
    chunks: list[bytes] = []

    async def listen(process: Process) -> None:
        room = most_bytes + 1
        while process.stdout and room > 0 and (chunk := await process.stdout.read(room)):
            chunks.append(chunk)
            room -= len(chunk)
        if room == 0:
            with suppress(ProcessLookupError):
                process.terminate()
            # An unread pipe is never seen to close, and neither is the end of git.
            while process.stdout and await process.stdout.read(1 << 16):
                pass

    async with running(
        argv, folder, env, stdout=pipe, stderr=pipe, ends_with_us=ends_with_us
    ) as process:
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(process))
            complaints = group.create_task(process.stderr.read()) if process.stderr else None
        status = await process.wait()
    return CapturedRun(status, b"".join(chunks), complaints.result() if complaints else b"")
