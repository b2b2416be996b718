"""One child process, for as long as a block lasts: whatever happens, nothing of it is left."""

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
    """The program in a session of its own, ended with its process group if the block is left early.

    With `ends_with_us` it is ended as well when this process is killed, which a program of ours or
    git, that soon ends by itself, need not be.
    Raises OSError or ValueError (a NUL in an argument) when it can't be started.
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
        # asyncio forgets the pipes of a program whose start is cancelled, and kills it unasked.
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
    """Run a program that must never be cut short, in a session of its own; its exit code.

    A cancel is raised once it has ended. It writes to a file, so that it also ends well if we are
    killed meanwhile. Raises OSError when it can't be started.
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
    """End a program and its process group, politely, then for good, and close its pipes.

    What has left the group may outlive this, for at most 10 s of ours.
    """
    for ending in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is None:  # else its id may be another's by now
            with suppress(ProcessLookupError):
                os.killpg(process.pid, ending)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.communicate()  # until it has ended and its pipes are closed
                return
