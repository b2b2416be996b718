"""One-line summaries of runs, from the journal and the engine lock."""

from pex_tui.adapters.storage.engine_lock import Holder
from pex_tui.adapters.storage.journal import RunRow, SqliteJournal, told_of
from pex_tui.adapters.storage.journal_file import JournalError
from pex_tui.application.project.project import Project
from pex_tui.core.model.state import Outcome
from pex_tui.engine.session import RunFigures, RunSummary

_MOST_WITH_FIGURES = 100
Known = dict[RunRow, RunFigures]


def summaries(
    project: Project, holder: Holder | None, known: Known | None = None
) -> tuple[RunSummary, ...]:
    """Return all runs, newest first.

    With `known`, a cache between calls, the newest finished runs include their figures.
    """
    if not project.places.journal.exists():
        return ()
    journal = project.open_journal()
    try:
        return tuple(
            _summary(journal, row, holder, known if at < _MOST_WITH_FIGURES else None)
            for at, row in enumerate(journal.runs())
        )
    finally:
        journal.close_now()


def _summary(
    journal: SqliteJournal, row: RunRow, holder: Holder | None, known: Known | None
) -> RunSummary:
    if known is not None and row.outcome is not None and row not in known:
        known[row] = _figures(journal, row)
    return RunSummary(
        run=row.run,
        goal=row.goal,
        created_at=row.created_at,
        outcome=row.outcome,
        landed=row.landed,
        tasks=row.tasks,
        seconds=row.makespan_seconds or row.worked_until - row.created_at,
        open_conflicts=_conflicts(journal, row) if row.outcome is Outcome.CONFLICTS else 0,
        is_live=holder is not None and holder.run == row.run,
        figures=(known or {}).get(row),
    )


def _conflicts(journal: SqliteJournal, row: RunRow) -> int:
    """Return the number of conflicts at the end of a run; 0 if the run is unreadable here."""
    try:
        return len(journal.state(row.run).open_conflicts)
    except JournalError:
        return 0


def _figures(journal: SqliteJournal, row: RunRow) -> RunFigures:
    """Return a run's figures; empty for a run that this version cannot read."""
    from pex_tui.reports.report import make_report  # noqa: PLC0415  # large: no run, no need

    try:
        with told_of(row.run):
            report = make_report(journal.read(row.run))
    except JournalError:
        return RunFigures()
    met = len(report.history.conflicting_tasks)
    found = report.metrics
    return RunFigures(found.makespan_seconds, found.speedup, met, found.cost_usd)
