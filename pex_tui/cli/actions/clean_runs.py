"""Show and remove what finished runs left."""

import asyncio
import sys
import time

from msgspec import Struct
from msgspec.structs import replace

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
from pex_tui.application.runs.rollback import finish_rollbacks, undo_log
from pex_tui.application.runs.run_ids import trace_times
from pex_tui.cli.output.clean import render_clean, render_cleaned
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import Outcome
from pex_tui.core.undo_values import UndoEntry
from pex_tui.engine.cleaning import CleanPlan
from pex_tui.errors import UserError
from pex_tui.planning.fields.quantities import parse_duration


class Survey(Struct, frozen=True):
    """Leftovers of finished runs; `forgotten` leave the journal, `open_runs` have not ended.

    `lost` are runs that the journal does not know.
    """

    cleaner: Cleaner
    plan: CleanPlan
    forgotten: tuple[RunId, ...]
    open_runs: tuple[RunId, ...]
    lost: tuple[RunId, ...] = ()

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
    purged = _purged(project, options)
    if purged:
        listed = ", ".join(one.id for one in purged)
        sys.stdout.write(f"--purge also drops what `pex-tui recover` has: {listed}.\n")
    if (survey.is_empty and not purged) or not _is_wanted(options):
        return 0
    return asyncio.run(_remove(project, options, survey))


async def _look(options: Options) -> tuple[Project, Survey]:
    project = await project_of(options)
    return project, await _survey(project, options)


async def _survey(
    project: Project, options: Options, lost: tuple[RunId, ...] | None = None
) -> Survey:
    """Return the leftovers; `lost` are the runs looked at before that the journal does not know."""
    try:
        rows, idle_since = _runs(project, options)
    except UnknownRunError:
        traced = await traced_run(project, options.run)
        lost = lost or ((traced,) if traced else ())
        if not lost:
            raise
        rows, idle_since = [], 0.0
    if lost is None:
        lost = await _lost(project, options)
    known = [row.run for row in rows if _has_ended(row)]
    finished = (*known, *lost)
    cleaner = Cleaner(
        project.repository,
        project.places,
        finished,
        options.force,
        idle_since,
        options.purge,
    )
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


async def _lost(project: Project, options: Options) -> tuple[RunId, ...]:
    """Return the selected runs of which only refs or files are left, by their latest trace."""
    if options.run is not None:
        return ()
    latest = time.time() - (parse_duration(options.older_than) if options.older_than else 0.0)
    known = _known(project)
    return tuple(
        run
        for run, at in sorted((await trace_times(project)).items())
        if run not in known and at <= latest
    )


def _known(project: Project) -> set[RunId]:
    if not project.places.journal.exists():
        return set()
    journal = project.open_journal()
    try:
        return {row.run for row in journal.runs()}
    finally:
        journal.close_now()


def _purged(project: Project, options: Options) -> list[UndoEntry]:
    """Return the entries of the undo log that go before their time."""
    entries = undo_log(project).entries() if options.purge else []
    return [one for one in entries if options.run in {None, one.run}]


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
        await finish_rollbacks(project)
        survey = await _survey(project, options, shown.lost)
        plan = survey.plan.within(shown.plan)
        cleaned = await survey.cleaner.perform(plan)
        survey = await _survey(
            project, options, shown.lost
        )  # work found uncommitted is kept in its run
        left = {removal.run for removal in survey.plan.removals}
        gone = [run for run in survey.forgotten if run not in left]
        gone = [run for run in gone if run in shown.forgotten]
        entries = _forget(project, gone, cleaned.entries, keeps=not options.purge)
        await _prune(project, options)
    finally:
        lock.release(removes=True)
    sys.stdout.write(render_cleaned(plan, cleaned.rescued, entries))
    return 0


def _forget(
    project: Project, runs: list[RunId], entries: tuple[UndoEntry, ...], *, keeps: bool
) -> tuple[UndoEntry, ...]:
    """Take the runs out of the journal and, with `keeps`, into the undo log; return its entries."""
    if not runs:
        return entries
    by_run, log = {entry.run: entry for entry in entries}, undo_log(project)
    journal = project.open_journal()
    try:
        for run in runs:
            if keeps:
                made = UndoEntry(log.new_id(), time.time(), "clean", run, "")
                entry = by_run.get(run, made)
                what = f"{entry.what}, history".removeprefix(", ")
                by_run[run] = entry = replace(entry, what=what, has_journal=True)
                log.write(entry)
                log.write_rows(entry, journal.rows_of(run))
            journal.forget(run)
    finally:
        journal.close_now()
    return tuple(by_run.values())


async def _prune(project: Project, options: Options) -> None:
    """Drop from the undo log what is too old, or all that is selected if it is to be purged."""
    log = undo_log(project)
    await log.drop(_purged(project, options) or log.expired(time.time()))
    if log.places.undo.is_dir() and not any(log.places.undo.iterdir()):
        log.places.undo.rmdir()
