"""Run the verify commands on a commit; a tree that passed is not checked again."""

import asyncio
import hashlib
import os
import shlex
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct, field

from pex_tui.adapters.git.isolation.work_trees import WorkTrees
from pex_tui.adapters.git.landing.gate_workspace import GateWorkspace
from pex_tui.adapters.git.plumbing.bounded_command import Bounds, end_marked, run_check
from pex_tui.adapters.git.plumbing.file_lock import file_lock
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.adapters.process.confined_command import Confinement
from pex_tui.core.masking import mask_key_ends
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.sanitize import clean, clean_bytes
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.ports import GateResult, WorkspaceError
from pex_tui.engine.run_paths import RunPaths

GATES = ("gate", "gate-2")
"""The names of the gate's workspaces in the state directory."""
MARK = "PEX_GATE"  # set in the environment of every check, so that its leftover processes are found
_TAIL_LINES = 200
_TAIL_BYTES = 256 * 1024
_LOCK_PATIENCE_SECONDS = 120.0


class GateOptions(Struct, frozen=True):
    """The checks of the gate and their limits.

    `timeout_seconds` and `output_limit_bytes` apply to all checks of one gate together. `setup`
    prepares a fresh checkout for the checks and raises WorkspaceError if it fails; `keep` are
    ignored paths that survive a reset.
    """

    verify: tuple[tuple[str, ...], ...] = ()
    timeout_seconds: float = 1800.0
    keep: tuple[str, ...] = ()
    setup: Callable[[Path], Awaitable[None]] | None = None
    confinement: Confinement = field(default_factory=Confinement)
    output_limit_bytes: int = 64 * 1024 * 1024


class _Bench(Struct):
    """A workspace in which one commit at a time is checked."""

    workspace: GateWorkspace
    lock: Path
    is_taken: bool = False


class GateRunner:
    """The gate of a run: two commits at a time, each in its own workspace."""

    def __init__(self, git: Git, trees: WorkTrees, places: RunPaths, options: GateOptions) -> None:
        self._git = git
        self._places = places
        self._options = options
        self._benches = [
            _Bench(
                GateWorkspace(trees, Worktree(places.root / name, places.root / name / ".git")),
                places.root / f"{name}.lock",
            )
            for name in GATES
        ]
        self._jobs: dict[TaskId, asyncio.Task[GateResult]] = {}
        self._turn = asyncio.Semaphore(len(self._benches))
        self._digest = hashlib.sha256(repr(options.verify).encode()).hexdigest()[:16]

    async def run(self, key: AttemptKey, commit: CommitId) -> GateResult:
        """Check the commit, unless its tree has passed in this run; raise GitError, LandingError.

        A tree that failed is checked again: the machine may have caused the failure.
        """
        if not self._options.verify:
            return GateResult(passed=True, seconds=0.0)
        job = asyncio.create_task(self._in_turn(key, commit, self._jobs.get(key.task)))
        self._jobs[key.task] = job
        try:
            await asyncio.wait([job])
        except asyncio.CancelledError:
            job.cancel()
            await asyncio.wait([job])
            raise
        finally:
            if self._jobs.get(key.task) is job:
                del self._jobs[key.task]
        if job.cancelled():
            return GateResult(passed=False, seconds=0.0, stopped=True)
        return job.result()

    async def stop(self, task: TaskId) -> None:
        """End the task's gate at whatever stage; its result says that it was stopped."""
        job = self._jobs.get(task)
        if job is not None:
            job.cancel()
            await asyncio.wait([job])

    async def _in_turn(
        self, key: AttemptKey, commit: CommitId, before: asyncio.Task[GateResult] | None
    ) -> GateResult:
        """Check the commit once a bench is free and no other gate writes this task's log."""
        if before is not None:
            await asyncio.wait([before])
        async with self._turn:
            with self._bench() as bench:
                return await self._verdict(bench, key, commit)

    @contextmanager
    def _bench(self) -> Iterator[_Bench]:
        """Yield a free bench, preferring the first."""
        bench = next(bench for bench in self._benches if not bench.is_taken)
        bench.is_taken = True
        try:
            yield bench
        finally:
            bench.is_taken = False

    async def _verdict(self, bench: _Bench, key: AttemptKey, commit: CommitId) -> GateResult:
        tree = await self._git.text("rev-parse", f"{commit}^{{tree}}")
        if self._has_passed(key, tree):
            return GateResult(passed=True, seconds=0.0)
        async with file_lock(bench.lock, _LOCK_PATIENCE_SECONDS) as descriptor:
            result = await self._judge(bench, key, commit, descriptor)
        if result.passed:
            self._remember(key, tree)
        return result

    async def _judge(
        self, bench: _Bench, key: AttemptKey, commit: CommitId, lock: int
    ) -> GateResult:
        started = time.monotonic()
        workspace = bench.workspace
        await _end_leftovers(workspace)  # of an engine that was killed while its gate ran
        await workspace.reset(commit, lock)
        try:
            command, failure, output = await self._run_checks(bench, key, started)
        finally:
            await _end_leftovers(workspace)
        seconds = time.monotonic() - started
        if not failure:
            return GateResult(passed=True, seconds=seconds)
        told = "\n".join([*output, failure])
        return GateResult(passed=False, seconds=seconds, command=clean(command), output=told)

    async def _run_checks(
        self, bench: _Bench, key: AttemptKey, started: float
    ) -> tuple[str, str, list[str]]:
        """Return the first command that fails, the reason and the end of its output.

        Empty if none fails.
        """
        options = self._options
        log = self._places.gate_output(key.run, key.task)
        log.parent.mkdir(parents=True, exist_ok=True)
        timeout_words = f"{options.timeout_seconds:.0f} s"
        bounds = Bounds(
            started + options.timeout_seconds, timeout_words, options.output_limit_bytes
        )
        folder = bench.workspace.path
        env = _environment(key, folder)
        with log.open("wb", buffering=0) as output:
            failure = await self._set_up(folder)
            if failure:
                return "workspaces.setup", failure, []
            for argv in options.verify:
                command = shlex.join(argv)
                output.write(f"$ {clean(command)}\n".encode("utf-8", "replace"))
                begin = output.tell()
                failure = await run_check(argv, folder, env, output, bounds, options.confinement)
                if failure:
                    is_late = time.monotonic() > bounds.until
                    late = f", not done within {timeout_words}" if is_late else ""
                    tail = _tail(log, begin)
                    failure += options.confinement.withheld("\n".join(tail))
                    return f"{command}{late}", failure, tail
        return "", "", []

    async def _set_up(self, folder: Path) -> str:
        """Prepare the checkout for the checks; return why that failed, or an empty text."""
        if self._options.setup is not None:
            try:
                await self._options.setup(folder)
            except WorkspaceError as error:
                return clean(str(error))
        return ""

    def _passed_file(self, key: AttemptKey) -> Path:
        return self._places.run(key.run) / "gate.passed"

    def _has_passed(self, key: AttemptKey, tree: str) -> bool:
        file = self._passed_file(key)
        return file.exists() and f"{tree} {self._digest}" in file.read_text("ascii").splitlines()

    def _remember(self, key: AttemptKey, tree: str) -> None:
        with self._passed_file(key).open("a", encoding="ascii") as file:
            file.write(f"{tree} {self._digest}\n")


def _environment(key: AttemptKey, folder: Path) -> dict[str, str]:
    path = str(folder)
    return {"PEX_RUN": key.run, "PEX_TASK": key.task, "PEX_WORKSPACE": path, MARK: path}


async def _end_leftovers(workspace: GateWorkspace) -> None:
    await asyncio.to_thread(end_marked, MARK, str(workspace.path))


def _tail(log: Path, begin: int) -> list[str]:
    """Return the log's last lines from offset `begin`, cleaned for a terminal."""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(begin, size - _TAIL_BYTES))
        lines = file.read().splitlines()
    return mask_key_ends([clean_bytes(line) for line in lines[-_TAIL_LINES:]])
