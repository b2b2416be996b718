"""Merge one file with a user's program: a merge tool, or a coding agent's command line."""

import asyncio
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

import aiofiles

from pex_tui.adapters.system.child_process import running
from pex_tui.core.sanitize import clean, clean_bytes
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.errors import UserError

_TIMEOUT_SECONDS = 600.0
_TAIL_BYTES = 2000


async def merge_file(
    argv: tuple[str, ...], sides: ConflictSides, environ: Mapping[str, str]
) -> bytes:
    """Return the merged file that the program leaves; raise UserError with the failure.

    In `argv`, {base}, {ours}, {theirs} and {result} stand for files in a scratch folder, {path} for
    the path in the repository. The result starts as git's text with conflict markers; the program
    must exit with 0 and leave no markers.
    """
    name = shlex.join(argv)
    with tempfile.TemporaryDirectory(prefix="pex-tui-") as folder:
        places = await _lay_out(Path(folder), sides)
        command = [part.format_map(_Known(places | {"path": sides.path})) for part in argv]
        code, output = await _run(command, Path(folder), environ)
        merged = await _read(places["result"])
    if code != 0:
        raise UserError(f"{clean(name)} ended with {code}: {_tail(output)}")
    if sides.markers_left(merged):
        raise UserError(f"{clean(name)} has left conflict markers in {clean(sides.path)}.")
    return merged


class _Known(dict[str, str]):
    """Keeps braces other than ours unchanged."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


async def _lay_out(folder: Path, sides: ConflictSides) -> dict[str, str]:
    contents = {
        "base": sides.base,
        "ours": sides.ours,
        "theirs": sides.theirs,
        "result": sides.merged,
    }
    suffix = Path(sides.path).suffix
    places = {name: folder / f"{name}{suffix}" for name in contents}
    for name, content in contents.items():
        async with aiofiles.open(places[name], "wb") as file:
            await file.write(content or b"")
    return {name: str(path) for name, path in places.items()}


async def _run(argv: list[str], folder: Path, environ: Mapping[str, str]) -> tuple[int, bytes]:
    try:
        async with (
            running(tuple(argv), folder, environ, ends_with_us=True) as process,
            asyncio.timeout(_TIMEOUT_SECONDS),
        ):
            output, _ = await process.communicate()
    except TimeoutError:
        raise UserError(f"{clean(argv[0])} took longer than {_TIMEOUT_SECONDS:.0f} s.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{clean(argv[0])} can't be started: {clean(str(error))}") from error
    return process.returncode or 0, output


async def _read(path: str) -> bytes:
    try:
        async with aiofiles.open(path, "rb") as file:
            return await file.read()
    except OSError as error:
        raise UserError(f"The merge tool removed its result: {clean(str(error))}") from error


def _tail(output: bytes) -> str:
    lines = output[-_TAIL_BYTES:].splitlines()
    return clean_bytes(lines[-1]) if lines else "it printed nothing"
