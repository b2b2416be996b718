"""Runs that nobody watches: begun or continued without the app."""

from pathlib import Path

from pex_tui.adapters.journal import RunRow, SqliteJournal
from pex_tui.core.ids import RunId
from pex_tui.core.state import Outcome
from pex_tui.errors import UserError
from pex_tui.wiring.ground import Ground
from pex_tui.wiring.hosting import Options, await_command, drive_headless, find_run, ground_of
from pex_tui.wiring.run_options import RunOptions
from pex_tui.wiring.sessions import resume_run, start_run


def run_plan(options: Options) -> int:
    """Run a plan file to its end; return the exit code."""
    return await_command(_run_plan(options))


def resume(options: Options) -> int:
    """Take a run up and drive it to its end; return the exit code."""
    return await_command(_resume(options))


async def _run_plan(options: Options) -> int:
    ground = await ground_of(options)
    draft = await ground.load_plan(
        Path(options.plan),
        slots=options.slots,
        fail_fast=options.fail_fast,
        land=options.land,
        uncommitted=options.include_uncommitted,
    )
    hosted = RunOptions(
        wait=options.wait,
        name=options.name,
        include_uncommitted=options.include_uncommitted,
        land=options.land,
    )
    session = await start_run(ground, draft, hosted)
    return await drive_headless(ground, session, as_json=options.json)


async def _resume(options: Options) -> int:
    ground = await ground_of(options)
    run = run_to_resume(ground, options.run)
    session = await resume_run(ground, run, RunOptions(background=options.background))
    return await drive_headless(ground, session, as_json=options.json)


def run_to_resume(ground: Ground, wanted: str | None) -> RunId:
    """The run to continue: the named one, else the newest that has something left to do."""
    journal = ground.open_journal()
    try:
        row = find_run(journal, wanted) if wanted else _newest_open(journal)
    finally:
        journal.close_now()
    if row.outcome is Outcome.OK:
        raise UserError(
            f"Run {row.run} has ended well; there is nothing to resume. "
            f"`pex-tui report {row.run}` shows it."
        )
    return row.run


def _newest_open(journal: SqliteJournal) -> RunRow:
    for row in journal.runs():
        if row.outcome is not Outcome.OK:
            return row
    raise UserError("No run in this repository has anything left to do. `pex-tui runs` lists them.")
