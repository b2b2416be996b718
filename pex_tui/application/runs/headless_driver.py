"""Drive runs without a screen, and print their reports."""

from typing import Any

from msgspec import to_builtins

from pex_tui.adapters.storage.journal import told_of
from pex_tui.application.project.command_context import find_run
from pex_tui.application.project.project import Project
from pex_tui.core.events.event_codec import encode
from pex_tui.core.events.run_events import Event, RunFinished
from pex_tui.core.model.ids import RunId
from pex_tui.engine.local import LocalSession
from pex_tui.headless.event_printer import Narrator
from pex_tui.headless.run import drive, was_let_go
from pex_tui.headless.streams import Printer, Streams
from pex_tui.reports.json_text import json_text
from pex_tui.reports.report import Report, make_report
from pex_tui.reports.text import next_steps, render_text


def read_report(project: Project, wanted: str | None) -> Report:
    """Return the report of a run from the journal; raise UserError if there is none."""
    journal = project.open_journal()
    try:
        run = find_run(journal, wanted).run
        with told_of(run):
            return make_report(journal.read(run), project.places.log)
    finally:
        journal.close_now()


async def drive_headless(
    project: Project, session: LocalSession, streams: Streams, *, as_json: bool
) -> int:
    """Drive a session to its end; print its report, or JSON Lines, to stdout."""
    notes, output = streams.notes.write, streams.output.write
    run = session.state.run
    for notice in session.state.notices:
        notes(f"! {notice}")
    lines = JsonLines(run, output)
    if as_json:
        lines.begin(_first_event(project, run), session.state.seq)
        session.watch(lines.add)
    session.watch(Narrator(notes, lambda: session.state))
    state = await drive(session, streams)
    if was_let_go(state):
        notes(f"run {run} was taken over by another process")
        return 0
    report = read_report(project, run)
    if as_json:
        lines.end(report)
        for line in next_steps(report):
            notes(line)
    else:
        output(render_text(report).rstrip("\n"))
    return state.exit_code or 0


def _first_event(project: Project, run: RunId) -> Event:
    """Return the event that planned the run."""
    journal = project.open_journal()
    try:
        return journal.read(run)[0]
    finally:
        journal.close_now()


class JsonLines:
    """The events of a session, one per line; a run's consecutive streams form its journal.

    The first line has the plan and the base, whether the run is new or resumed. The last one is
    held back until the figures are known.
    """

    def __init__(self, run: RunId, output: Printer) -> None:
        self._run = run
        self._output = output
        self._plan: dict[str, Any] = {}  # additional fields of a resumed run's first line
        self._last: dict[str, Any] | None = None

    def begin(self, planned: Event, seq: int) -> None:
        """Start the stream of a run that has reached `seq`."""
        line = encode(planned, 1, self._run)
        if seq == 1:
            self._output(json_text(line))
        else:
            self._plan = {name: line[name] for name in ("plan", "base", "branch", "target")}

    def add(self, seq: int, event: Event) -> None:
        """Print an event, or keep it if it ends the run."""
        line = encode(event, seq, self._run) | self._plan
        self._plan = {}
        if isinstance(event, RunFinished):
            self._last = line
        else:
            self._output(json_text(line))

    def end(self, report: Report) -> None:
        """Print the run's end with its figures."""
        if self._last is not None:
            self._output(json_text(self._last | {"metrics": to_builtins(report.metrics)}))
