"""Edit a conflicting file in the user's own editor."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pex_tui.tui.manual_resolution import FileMerge

if TYPE_CHECKING:
    from pex_tui.tui.terminal.terminal_app import TerminalApp

_END_SECONDS = 1.0


def editable(entry: FileMerge) -> str:
    """Return the text for the editor: the result so far, or git's with markers if undecided."""
    is_whole = entry.parts is None and entry.edited is None
    if (entry.open_hunks or is_whole) and entry.sides.merged is not None:
        return entry.sides.merged.decode("utf-8", "surrogateescape")
    return entry.text


async def edited(app: TerminalApp, editor: str, path: str, text: str) -> str | None:
    """Return the edited text; None if the editor failed. The editor has the terminal meanwhile.

    Raises OSError or ValueError if it cannot be started. If the app exits, the editor is ended too.
    """
    import aiofiles  # noqa: PLC0415  # only once somebody edits

    with tempfile.TemporaryDirectory(prefix="pex-tui-") as folder:
        file = Path(folder) / Path(path).name
        async with aiofiles.open(file, "wb") as stream:
            await stream.write(text.encode("utf-8", "surrogateescape"))
        with app.suspend():
            app.lends_terminal = True
            try:
                status = await _run(*shlex.split(editor), str(file))
            finally:
                app.lends_terminal = False
        if status != 0:
            return None
        async with aiofiles.open(file, "rb") as stream:
            return (await stream.read()).decode("utf-8", "surrogateescape")


async def _run(*argv: str) -> int:
    process = await asyncio.create_subprocess_exec(*argv)
    try:
        return await process.wait()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError, TimeoutError):
            process.terminate()  # editors keep a copy of unsaved text
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
        raise
