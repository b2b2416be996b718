"""What the commands share: where they stand, how they await, which run is meant."""

import argparse
import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from pex_tui.adapters.git.cli import GitError
from pex_tui.adapters.journal import RunRow, SqliteJournal
from pex_tui.adapters.process.signals import ENDINGS, use_defaults
from pex_tui.adapters.process.watcher import use_pidfd_watcher
from pex_tui.core.text import clean
from pex_tui.errors import UserError
from pex_tui.wiring.ground import Ground, open_ground

Options = argparse.Namespace


def await_command(coroutine: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine to its exit code; what git can't do is told in its words."""
    use_pidfd_watcher()
    use_defaults(besides=ENDINGS)
    try:
        return asyncio.run(coroutine)
    except GitError as error:
        raise UserError(f"git {error.git_args[0]} failed: {clean(str(error))}") from error


async def ground_of(options: Options) -> Ground:
    """Where the command was told to work."""
    place = getattr(options, "repo", None) or Path.cwd()
    return await open_ground(place, getattr(options, "set", None) or ())


def find_run(journal: SqliteJournal, wanted: str | None) -> RunRow:
    """The run of that name, or the newest; raise UserError when there is none."""
    rows = journal.runs()
    if wanted is None:
        if not rows:
            nothing = "There is no run in this repository yet. Start one: pex-tui run PLAN."
            raise UserError(f"{journal.notice} {nothing}".strip())
        return rows[0]
    matching = [row for row in rows if row.run == wanted] or [
        row for row in rows if row.run.startswith(wanted)
    ]
    if len(matching) != 1:
        found = "More than one run begins with" if matching else "There is no run"
        raise UserError(f"{found} {clean(wanted)}. `pex-tui runs` lists them.")
    return matching[0]
