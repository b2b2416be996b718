"""Attach to a run that another process drives."""

import os

from pex_tui.adapters.git.plumbing.repository import RepositoryError
from pex_tui.adapters.ipc.attached_session import AttachedSession
from pex_tui.adapters.storage.engine_lock import current_holder
from pex_tui.adapters.storage.journal import SqliteJournal, told_of
from pex_tui.adapters.system.probe import TreeMeter
from pex_tui.application.project.command_context import find_run
from pex_tui.application.project.project import Project
from pex_tui.application.runs.composition import make_lander
from pex_tui.core.model.ids import RunId
from pex_tui.core.step import replay
from pex_tui.errors import UserError


async def follow_run(project: Project, wanted: str | None) -> AttachedSession:
    """Return the named run, else the running one, else the newest; raise UserError."""
    journal = project.open_journal()
    try:
        run = _chosen(project, journal, wanted)
        events = journal.read(run)
        with told_of(run):
            state = replay(events)
    except UserError:
        journal.close_now()
        raise
    try:
        identity = await project.repository.check_identity()
    except RepositoryError:
        identity = None  # needed only to resolve a conflict, which then says so
    return AttachedSession(
        journal,
        events,
        project.places,
        make_lander(project, state, identity),
        TreeMeter(),
        lambda: current_holder(project.places.lock),
        actor=f"attached process {os.getpid()}",
    )


def _chosen(project: Project, journal: SqliteJournal, wanted: str | None) -> RunId:
    holder = current_holder(project.places.lock)
    if wanted is None and holder is not None:
        return holder.run
    return find_run(journal, wanted).run
