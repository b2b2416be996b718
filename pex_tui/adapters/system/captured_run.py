"""One run of a program whose input is known and whose output is wanted once it has ended.

The input is an anonymous file. A run costs little more than half of the processor time of asyncio's
own subprocesses, which take a thread and several tasks for each program.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, BinaryIO

from msgspec import Struct

_CHUNK_BYTES = 1 << 16
_GRACE_SECONDS = 5.0


class CapturedRun(Struct, frozen=True):
    """The exit code of a program that has ended, and its output."""

    status: int
    stdout: bytes
    stderr: bytes


async def run_captured(
    argv: tuple[str, ...],
    folder: Path,
    env: Mapping[str, str],
    *,
    stdin: bytes = b"",
    pass_fds: tuple[int, ...] = (),
) -> CapturedRun:
    """Run the program in its own session; end its process group if this is cancelled.

    Raises OSError or ValueError (a NUL in an argument) if it cannot be started.
    """
    with _anonymous_file() as given:
        if stdin:
            given.write(stdin)
            given.seek(0)
        process = subprocess.Popen(  # noqa: ASYNC220  # asyncio's own costs twice the time
            argv,
            bufsize=0,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=env,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    with closing(_Output(process.stdout)) as stdout, closing(_Output(process.stderr)) as stderr:
        try:
            await _ended(process)
        finally:
            if process.returncode is None:
                await _end_group(process)
        return CapturedRun(process.returncode, stdout.whole(), stderr.whole())


class _Output:
    """The output of a program, read as it comes."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        assert pipe is not None  # noqa: S101  # as it was asked for
        os.set_blocking(pipe.fileno(), False)
        self._pipe = pipe
        self._chunks: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(pipe.fileno(), self._read)

    def whole(self) -> bytes:
        """Return everything that was printed; the program has ended."""
        while self._read():
            pass
        return b"".join(self._chunks)

    def close(self) -> None:
        """Stop reading."""
        self._loop.remove_reader(self._pipe.fileno())
        self._pipe.close()

    def _read(self) -> bool:
        """Read what is there; return whether there may be more."""
        chunk = self._pipe.read(_CHUNK_BYTES)
        if chunk:
            self._chunks.append(chunk)
        elif chunk is not None:  # the end
            self._loop.remove_reader(self._pipe.fileno())
        return bool(chunk)


def _anonymous_file() -> BinaryIO:
    """Return an empty file without a name: in memory, so that no full disk is in its way."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("pex-tui"), "r+b")
    return tempfile.TemporaryFile()


async def _ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a program: without a thread, where the kernel has pidfds."""
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid it
            pidfd = os.pidfd_open(process.pid)
            try:
                await _readable(pidfd)
            finally:
                os.close(pidfd)
    if process.poll() is None:
        await asyncio.to_thread(process.wait)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    is_readable = asyncio.Event()
    loop.add_reader(descriptor, is_readable.set)
    try:
        await is_readable.wait()
    finally:
        loop.remove_reader(descriptor)


async def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a program and its process group, by request and then by force."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is None:  # otherwise its id may have been reused
            with suppress(ProcessLookupError):
                os.killpg(process.pid, ending)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await _ended(process)
                return
