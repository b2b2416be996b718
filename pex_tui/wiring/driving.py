"""Runs driven without a screen, and the reports of runs."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pex_tui.core.codec import encode
from pex_tui.core.events import Event, RunFinished
from pex_tui.core.ids import RunId
from pex_tui.engine.local import LocalSession
from pex_tui.headless.feed import Narrator, Printer, to_stream
from pex_tui.headless.report import Report, make_report
from pex_tui.headless.run import drive, was_let_go
from pex_tui.headless.text_report import next_steps, render_text
from pex_tui.wiring.ground import Ground
from pex_tui.wiring.hosting import find_run


def read_report(ground: Ground, wanted: str | None) -> Report:
    """The report of a run as the journal has it; raise UserError when there is none."""
    journal = ground.open_journal()
    try:
        return make_report(journal.read(find_run(journal, wanted).run), ground.places.log)
    finally:
        journal.close_now()


async def drive_headless(ground: Ground, session: LocalSession, *, as_json: bool) -> int:
    """Drive a session to its end, telling of it; the report goes to stdout, or JSON Lines do."""
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
