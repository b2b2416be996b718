"""Run one program to its end, with limits on time and output, leaving no process behind."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import psutil
from msgspec import Struct

from pex_tui.adapters.process.confined_command import Confinement, confined
from pex_tui.adapters.system.child_process import running
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import Breach

_POLL_SECONDS = 0.25
_ROOM_SECONDS = (5.0, 30.0)  # until a program that had no memory is run again
_SWEEP_SECONDS = 10.0
_SWEEP_POLL_SECONDS = 0.01


class Bounds(Struct, frozen=True):
    """Limits of a program: the time `until` (monotonic seconds), and the size of its log."""

    until: float
    timeout_words: str
    output_bytes: int


async def run_check(
    argv: tuple[str, ...],
    folder: Path,
    env: Mapping[str, str],
    output: BinaryIO,
    bounds: Bounds,
    confinement: Confinement,
) -> str:
    """Run a program in a session of its own without input; a cancellation ends it.

    `env` are variables besides the user's. What the kernel kills because the machine ran out of
    memory says nothing about the work, and is run again. Returns why the program failed, in words,
    or an empty text.
    """
    for wait in (*_ROOM_SECONDS, None):
        failure, breach = await _run_once(argv, folder, env, output, bounds, confinement)
        is_late = wait is None or time.monotonic() + wait > bounds.until
        if breach is None or not breach.is_the_machines or is_late:
            break
        output.write(f"\nIt was {breach.words}, and is run again.\n".encode())
        await asyncio.sleep(wait or 0.0)
    return failure


async def _run_once(
    argv: tuple[str, ...],
    folder: Path,
    env: Mapping[str, str],
    output: BinaryIO,
    bounds: Bounds,
    confinement: Confinement,
) -> tuple[str, Breach | None]:
    """Return why the program failed, or an empty text, and the limit that it was ended for."""
    try:
        async with (
            confined(confinement, argv, folder, env) as command,
            running(
                command.argv,
                folder,
                command.env,
                stdout=output.fileno(),
                pass_fds=command.descriptors,
            ) as process,
        ):
            command.started()
            failure = await _watch(process, output, bounds)
            breach = None if process.returncode is None else command.breach()
            failure = _over(breach) if breach is not None else failure
            return failure + command.refused() if failure else "", breach
    except (OSError, ValueError) as error:  # a NUL in an argument is a ValueError
        return _why_not_started(argv[0], error, folder), None


def _over(breach: Breach) -> str:
    if breach.is_the_machines:
        return f"It was {breach.words}."
    return f"It was {breach.words}, so it was ended (thread_pool.{breach.subject}_per_agent)."


async def _watch(process: Process, output: BinaryIO, bounds: Bounds) -> str:
    while process.returncode is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS):
                await process.wait()
        if process.returncode is None and time.monotonic() > bounds.until:
            return f"Not done within {bounds.timeout_words}, so it was ended."
        if os.fstat(output.fileno()).st_size > bounds.output_bytes:
            return f"It printed more than {bounds.output_bytes} bytes, so it was ended."
    if process.returncode < 0:
        return f"Ended by {signal.Signals(-process.returncode).name}."
    return f"Exit code {process.returncode}." if process.returncode else ""


def end_marked(name: str, mark: str) -> None:
    """End every process whose environment variable `name` is `mark`; blocks for up to 10 s.

    Finds processes that left the process group, and those of an engine that was killed.
    """
    give_up_at = time.monotonic() + _SWEEP_SECONDS
    while (marked := _marked(name, mark)) and time.monotonic() < give_up_at:
        for process in marked:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(_SWEEP_POLL_SECONDS)


def _marked(name: str, mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(name) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _why_not_started(program: str, error: OSError | ValueError, folder: Path) -> str:
    name = clean(program)
    if isinstance(error, FileNotFoundError):
        there = "/" in program and (folder / program).exists()
        missing = f"the interpreter that {name} names" if there else name
        return f"{missing} was not found. Install it, or correct `verify` in the plan."
    reason = clean(getattr(error, "strerror", None) or str(error))
    return f"{name} can't be run: {reason}. Fix it, or correct `verify` in the plan."
