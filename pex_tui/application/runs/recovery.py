"""Restore what the undo log keeps. The caller holds the engine lock."""

import sqlite3
import time
from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.application.project.project import Project
from pex_tui.application.runs.rollback import bring_back, undo_log
from pex_tui.core.model.ids import RunId
from pex_tui.core.sanitize import clean
from pex_tui.core.undo_values import UndoEntry
from pex_tui.errors import UserError


async def restore(project: Project, entry: UndoEntry, by: str) -> tuple[str, ...]:
    """Restore an entry, never over what exists; return what is where. Raises UserError."""
    if entry.rollback is not None:
        return (await bring_back(project, entry, by),)
    log = undo_log(project)
    try:
        refs = await log.restore_refs(entry)
        files = log.restore_files(entry)
        history = _restore_history(project, entry)
        await log.drop([entry])
    except (GitError, OSError, sqlite3.Error) as error:
        raise UserError(
            f"Not all of {entry.id} could be restored: {clean(str(error))}. What was is in place, "
            f"and `pex-tui recover {entry.id}` goes on."
        ) from error
    places = (*refs, *(str(path) for path in files), *history)
    if not places:
        return (f"All that {entry.id} kept is in place already.",)
    return tuple(clean(place) for place in places)


def keep_file(project: Project, path: Path, command: str, what: str) -> None:
    """Move a file of the state directory into the undo log; raise UserError."""
    log = undo_log(project)
    try:
        size = path.stat().st_size
        files = (str(path),)
        entry = UndoEntry(
            log.new_id(), time.time(), command, RunId(""), what, files=files, size_bytes=size
        )
        log.write(entry)
        log.take_file(entry, path)
    except OSError as error:
        raise UserError(f"{path} can't be kept: {error.strerror}.") from error


def _restore_history(project: Project, entry: UndoEntry) -> tuple[str, ...]:
    """Put the run's rows back into the journal, unless it has a run of that name by now."""
    rows = undo_log(project).read_rows(entry) if entry.has_journal else []
    if not rows:
        return ()
    journal = project.open_journal()
    try:
        if journal.has(entry.run):
            return (f"The journal has a run {entry.run} again, so this one's history is dropped.",)
        journal.put_rows(rows)
    finally:
        journal.close_now()
    return (f"run {entry.run} in the journal",)
