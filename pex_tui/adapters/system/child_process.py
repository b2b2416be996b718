"""One child process for the duration of a block, with no process left afterwards."""

import asyncio
import os
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from pex_tui.adapters.system.lifeline import ending_with_us

_GRACE_SECONDS = 5.0
Stream = int | None


@asynccontextmanager
async def running(
    argv: tuple[str, ...],
    folder: Path,
    env: Mapping[str, str],
    *,
    stdin: Stream = asyncio.subprocess.DEVNULL,
    stdout: Stream = asyncio.subprocess.PIPE,
    stderr: Stream = asyncio.subprocess.STDOUT,
    pass_fds: tuple[int, ...] = (),
    ends_with_us: bool = False,
) -> AsyncIterator[Process]:
    """Run the program in its own session; end its process group if the block is left early.

    With `ends_with_us` it is also ended when this process is killed; git and our own programs,
    which exit soon, do not need that. Raises OSError or ValueError (a NUL in an argument) if it
    cannot be started.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *argv,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=folder,
            env=env,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # If a start is cancelled, asyncio leaks the pipes and kills the program.
        await asyncio.wait([starting])
        if starting.exception() is None:
            await end_group(starting.result())
        raise
    is_over = False
    try:
        with ending_with_us(process.pid) if ends_with_us else nullcontext():
            yield process
        is_over = process.returncode is not None
    finally:
        if not is_over:
            await end_group(process)


async def run_through(
    argv: tuple[str, ...],
    folder: Path,
    env: Mapping[str, str],
    output: BinaryIO,
    *,
    stdin: BinaryIO | None = None,
    pass_fds: tuple[int, ...] = (),
) -> int:
    """Run an uninterruptible program in its own session; return its exit code.

    A cancellation is raised after the program has ended. The output goes to a file, so that the
    program also ends normally if this process is killed. Raises OSError if it cannot be started.
    """
    process = subprocess.Popen(  # noqa: ASYNC220  # a start that is cancelled would be killed
        argv,
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=output,
        stderr=output,
        cwd=folder,
        env=env,
        start_new_session=True,
        pass_fds=pass_fds,
    )
    ended = asyncio.get_running_loop().run_in_executor(None, process.wait)
    cancelled: asyncio.CancelledError | None = None
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return ended.result()


async def end_group(process: Process) -> None:
    """End a program and its process group, by request and then by force, and close its pipes.

    Processes that left the group may survive; they delay this by at most 10 s.
    """
    for ending in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is None:  # otherwise its id may have been reused
            with suppress(ProcessLookupError):
                os.killpg(process.pid, ending)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.communicate()  # until it has ended and its pipes are closed
                return
