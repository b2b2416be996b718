"""Show and remove what finished runs left."""

import asyncio
import sys
import time

from msgspec import Struct

from pex_tui.adapters.git.maintenance.cleanup import Cleaner
from pex_tui.adapters.process.watcher import use_pidfd_watcher
from pex_tui.adapters.storage.engine_lock import current_holder
from pex_tui.adapters.storage.journal import RunRow
from pex_tui.application.project.command_context import (
    Options,
    UnknownRunError,
    find_run,
    project_of,
)
from pex_tui.application.project.project import Project
from pex_tui.application.runs.engine_lock import take_lock
from pex_tui.application.runs.lost_runs import traced_run
from pex_tui.cli.output.clean import render_clean, render_cleaned
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import Outcome
from pex_tui.engine.cleaning import CleanPlan
from pex_tui.errors import UserError
from pex_tui.planning.fields.quantities import parse_duration


class Survey(Struct, frozen=True):
    """Leftovers of finished runs; `forgotten` leave the journal, `open_runs` have not ended.

    `lost` is a run that the journal does not know.
    """

    cleaner: Cleaner
    plan: CleanPlan
    forgotten: tuple[RunId, ...]
    open_runs: tuple[RunId, ...]
    lost: RunId | None = None

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to remove."""
        return not self.plan.removals and not self.forgotten


def clean(options: Options) -> int:
    """Show what finished runs left, ask, and remove it."""
    use_pidfd_watcher()
    project, survey = asyncio.run(_look(options))
    holder = current_holder(project.places.lock)
    live = holder.run if holder else None
    sys.stdout.write(render_clean(survey.plan, survey.forgotten, survey.open_runs, live))
    if survey.is_empty or not _is_wanted(options):
        return 0
    return asyncio.run(_remove(project, options, survey))


async def _look(options: Options) -> tuple[Project, Survey]:
    project = await project_of(options)
    return project, await _survey(project, options)


async def _survey(project: Project, options: Options, lost: RunId | None = None) -> Survey:
    """Return the leftovers; `lost` is the requested run if the journal does not know it."""
    try:
        rows, idle_since = _runs(project, options)
    except UnknownRunError:
        lost = lost or await traced_run(project, options.run)
        if lost is None:
            raise
        rows, idle_since = [], 0.0
    known = [row.run for row in rows if _has_ended(row)]
    finished = (*known, *([lost] if lost else []))
    cleaner = Cleaner(project.repository, project.places, finished, options.force, idle_since)
    plan = await cleaner.plan()
    return Survey(
        cleaner,
        plan,
        tuple(run for run in known if run not in plan.kept_runs),
        tuple(row.run for row in rows if not _has_ended(row)),
        lost,
    )


def _runs(project: Project, options: Options) -> tuple[list[RunRow], float]:
    """Return the selected runs, and the time before which idle worktrees count as leftovers.

    Raises UserError for an invalid age or run.
    """
    try:
        age = parse_duration(options.older_than) if options.older_than else 0.0
    except ValueError as error:
        raise UserError(f"--older-than: {error}.") from error
    latest = time.time() - age
    if options.run is None and not project.places.journal.exists():
        return [], latest
    journal = project.open_journal()
    try:
        if options.run is None:
            return [row for row in journal.runs() if row.last_at <= latest], latest
        row = find_run(journal, options.run)
    finally:
        journal.close_now()
    return ([row] if row.last_at <= latest else []), min(row.last_at, latest)


def _has_ended(row: RunRow) -> bool:
    return row.outcome not in {None, Outcome.INTERRUPTED}


def _is_wanted(options: Options) -> bool:
    if options.yes:
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("Nothing was removed: there is no terminal to ask on. Add --yes.\n")
        return False
    sys.stdout.write("Remove this? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    sys.stdout.write("Nothing was removed.\n")
    return False


async def _remove(project: Project, options: Options, shown: Survey) -> int:
    """Remove what was shown, if it still may be removed now that nothing else runs here."""
    lock = await take_lock(project.places.lock)
    try:
        survey = await _survey(project, options, shown.lost)
        plan = survey.plan.within(shown.plan)
        rescued = await survey.cleaner.perform(plan)
        survey = await _survey(
            project, options, shown.lost
        )  # work found uncommitted is kept in its run
        left = {removal.run for removal in survey.plan.removals}
        gone = [run for run in survey.forgotten if run not in left]
        _forget(project, [run for run in gone if run in shown.forgotten])
    finally:
        lock.release(removes=True)
    sys.stdout.write(render_cleaned(plan, rescued))
    return 0


def _forget(project: Project, runs: list[RunId]) -> None:
    if not runs:
        return
    journal = project.open_journal()
    try:
        for run in runs:
            journal.forget(run)
    finally:
        journal.close_now()
