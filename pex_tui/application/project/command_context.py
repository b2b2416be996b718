"""Shared by the commands: the current project, the event loop, and the run that is meant."""

import argparse
import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.process.signals import ENDINGS, use_defaults
from pex_tui.adapters.process.watcher import use_pidfd_watcher
from pex_tui.adapters.storage.journal import RunRow, SqliteJournal
from pex_tui.application.project.project import Project, open_project
from pex_tui.application.project.settings_trust import check_trust
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError

Options = argparse.Namespace
_ENDING = (signal.SIGTERM, signal.SIGHUP)  # asyncio.run handles SIGINT
_INTERRUPTED = 130


class UnknownRunError(UserError):
    """The journal does not have the requested run."""


def await_command(coroutine: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine and return its exit code; raise UserError for errors of git."""
    use_pidfd_watcher()
    use_defaults(besides=ENDINGS)
    try:
        return asyncio.run(_heeding_signals(coroutine))
    except GitError as error:
        raise UserError(f"git {error.git_args[0]} failed: {clean(str(error))}") from error


async def _heeding_signals(coroutine: Coroutine[Any, Any, int]) -> int:
    """Cancel the command on a terminating signal, so that nothing it started is left.

    A run's own handlers for these signals take precedence.
    """
    loop, command = asyncio.get_running_loop(), asyncio.ensure_future(coroutine)
    is_asked = False

    def end() -> None:
        nonlocal is_asked
        is_asked = True
        command.cancel()

    heeded = [one for one in _ENDING if signal.getsignal(one) is not signal.SIG_IGN]
    for number in heeded:
        loop.add_signal_handler(number, end)
    try:
        return await command
    except asyncio.CancelledError:
        if not is_asked:
            raise
        return _INTERRUPTED
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)


async def project_of(options: Options) -> Project:
    """Return the project that the command works in.

    Raises UntrustedError if the command runs programs, the repository's settings name some, and the
    user has not trusted them.
    """
    place = getattr(options, "repo", None) or Path.cwd()
    project = await open_project(place, getattr(options, "set", None) or ())
    if getattr(options, "needs_trust", False):
        await check_trust(project, trusts=getattr(options, "trust", False))
    return project


def find_run(journal: SqliteJournal, wanted: str | None) -> RunRow:
    """Return the run with that name, or the newest; raise UserError if there is none."""
    rows = journal.runs()
    if wanted is None:
        if not rows:
            nothing = "There is no run in this repository yet. Start one: pex-tui run PLAN."
            raise UnknownRunError(f"{journal.notice} {nothing}".strip())
        return rows[0]
    matching = [row for row in rows if row.run == wanted] or [
        row for row in rows if row.run.startswith(wanted)
    ]
    if len(matching) != 1:
        found = "More than one run begins with" if matching else "There is no run"
        kind = UserError if matching else UnknownRunError
        raise kind(f"{found} {clean(wanted)}. `pex-tui runs` lists them.")
    return matching[0]
