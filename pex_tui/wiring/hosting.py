"""What the commands share: where they stand, how they await, how a run is told of."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pex_tui.adapters.git.cli import GitError
from pex_tui.adapters.journal import RunRow, SqliteJournal
from pex_tui.adapters.process.watcher import use_pidfd_watcher
from pex_tui.core.codec import encode
from pex_tui.core.events import Event, RunFinished
from pex_tui.core.ids import RunId
from pex_tui.core.text import clean
from pex_tui.errors import UserError
from pex_tui.headless.feed import Narrator, Printer, to_stream
from pex_tui.headless.report import Report, make_report
from pex_tui.headless.text_report import next_steps, render_text
from pex_tui.wiring.ground import Ground, open_ground

if TYPE_CHECKING:
    from pex_tui.engine.local import LocalSession

Options = argparse.Namespace


def await_command(coroutine: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine to its exit code; what git can't do is told in its words."""
    use_pidfd_watcher()
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


def read_report(ground: Ground, wanted: str | None) -> Report:
    """The report of a run as the journal has it; raise UserError when there is none."""
    journal = ground.open_journal()
    try:
        return make_report(journal.read(find_run(journal, wanted).run), ground.places.log)
    finally:
        journal.close_now()


async def drive_headless(ground: Ground, session: "LocalSession", *, as_json: bool) -> int:
    """Drive a session to its end, telling of it; the report goes to stdout, or JSON Lines do."""
    from pex_tui.headless.run import drive, was_let_go  # noqa: PLC0415  # home needs it not

    notes, output = to_stream(sys.stderr), to_stream(sys.stdout)
    run = session.state.run
    for notice in session.state.notices:
        notes(f"! {notice}")
    last = RunFinishedLine(run)
    if as_json:
        session.watch(_json_lines(output, run, last))
    session.watch(Narrator(notes, lambda: session.state))
    state = await drive(session)
    if was_let_go(state):
        notes(f"run {run} was taken over by another process")
        return 0
    report = read_report(ground, run)
    if as_json:
        last.print(output, report)
        for line in next_steps(report):
            notes(line)
    else:
        output(render_text(report).rstrip("\n"))
    return state.exit_code or 0


class RunFinishedLine:
    """The stream's last line is held back until the figures are there to go with it."""

    def __init__(self, run: RunId) -> None:
        self._run = run
        self._held: dict[str, Any] | None = None

    def hold(self, seq: int, event: RunFinished) -> None:
        """Keep the line for the end."""
        self._held = encode(event, seq, self._run)

    def print(self, output: Printer, report: Report) -> None:
        """Print the line with the run's figures."""
        if self._held is not None:
            output(json.dumps(self._held | {"metrics": asdict(report.metrics)}))


def _json_lines(output: Printer, run: RunId, last: RunFinishedLine) -> Callable[[int, Event], None]:
    def write(seq: int, event: Event) -> None:
        if isinstance(event, RunFinished):
            last.hold(seq, event)
        else:
            output(json.dumps(encode(event, seq, run)))

    return write
