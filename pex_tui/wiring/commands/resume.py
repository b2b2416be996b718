"""`pex-tui resume [RUN]`."""

from pex_tui.adapters.journal import RunRow, SqliteJournal
from pex_tui.core.ids import RunId
from pex_tui.core.state import Outcome
from pex_tui.errors import UserError
from pex_tui.wiring.commands.run import is_headless
from pex_tui.wiring.ground import Ground
from pex_tui.wiring.hosting import (
    Options,
    await_command,
    drive_headless,
    find_run,
    ground_of,
)
from pex_tui.wiring.sessions import RunOptions, resume_run


def main(options: Options) -> int:
    """Continue an interrupted run."""
    if options.background or is_headless(options):
        return await_command(_headless(options))
    from pex_tui.wiring.app import run_app  # noqa: PLC0415  # only the app needs Textual

    return run_app(options, resume=options.run or "")


async def _headless(options: Options) -> int:
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
