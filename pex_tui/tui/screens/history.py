"""History: past runs, and the report of the selected one."""

from functools import partial
from pathlib import Path
from statistics import median
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from pex_tui.core.formatting import counted
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import Outcome
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import RunSummary
from pex_tui.errors import UserError
from pex_tui.tui.keyboard.typed_ahead import command
from pex_tui.tui.messages import DraftOpened
from pex_tui.tui.screens.modals import ConfirmScreen, LineScreen, TextScreen, may_write
from pex_tui.tui.screens.pex_screen import PexScreen
from pex_tui.tui.widgets.key_footer import KeyFooter
from pex_tui.tui.widgets.run_table import RunTable
from pex_tui.tui.widgets.text.text_view import FoldedView, Line, TextView, folded

_REFRESH_SECONDS = 3.0
_MARGINS = 2  # cells beside the head's text
_MARKS = {"✓": "done", "✗": "failed", "⇄": "conflict", "⊘": "blocked"}
_BAD = frozenset({Outcome.FAILED, Outcome.GATE_FAILED, Outcome.ABORTED, Outcome.DENIED})


class HistoryScreen(PexScreen):
    """All runs of this repository, with their reports below."""

    PLACE: ClassVar = "history"
    HEARD_WITH: ClassVar = (RunTable,)
    CSS_PATH: ClassVar = "../styles/home.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]  # noqa: RUF012  # as Textual declares it
    DEFAULT_CLASSES = "-tall"  # most are, and need no other style once their size is known
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "compare", "Compare", id="history.compare"),
        Binding("R", "rerun", "Run again", id="history.rerun"),
        Binding("u", "undo", "Roll back", id="history.undo"),
        Binding("x", "export", "Export", id="history.export"),
        Binding("y", "copy", "Copy id", id="history.copy"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("escape", "back", "Back", id="history.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._compared: RunSummary | None = None  # the first run of a comparison
        self._is_listed = False
        self._read: RunId | None = None  # the run whose report, or comparison, is shown

    def compose(self) -> ComposeResult:
        """Compose head, runs and report."""
        yield TextView(id="head")
        runs = RunTable()
        runs.add_class("panel")
        runs.id = "runs"
        yield runs
        yield FoldedView(id="report", classes="panel")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Set the panels' titles."""
        self.query_one("#runs").border_title = "Runs"
        self.query_one("#report").border_title = "Report"
        self.query_one(RunTable).focus()
        self.set_interval(_REFRESH_SECONDS, self._look_again)

    def on_screen_resume(self) -> None:
        """Read the runs again: one may have ended."""
        look = self._look()
        if not self._is_listed:
            self.pex.typed.wait_for(look)

    def on_resize(self) -> None:
        """Fit the head to the width."""
        self._show_head()

    def _show_head(self) -> None:
        head = _head(self.query_one(RunTable).summaries, self.size.width - _MARGINS)
        self.query_one("#head", TextView).show([head])

    def _look_again(self) -> None:
        if self.is_current:
            self._look(keep_report=True)  # still being read

    @work(group="look", exclusive=True)
    async def _look(self, *, keep_report: bool = False) -> None:
        try:
            summaries = await self.pex.service.runs()
        except UserError as error:
            self.pex.tell(error.message, is_bad=True)
            return
        finally:
            self._is_listed = True
        self.query_one(RunTable).show(summaries)
        self._show_head()
        if not keep_report:
            self._show_report()

    @on(DataTable.RowHighlighted)
    def _chosen(self) -> None:
        chosen = self.query_one(RunTable).chosen
        # A new list keeps the report that is shown.
        if chosen is not None and chosen.run != self._read:
            self._show_report()

    @work(group="report", exclusive=True)
    async def _show_report(self) -> None:
        chosen = self.query_one(RunTable).chosen
        if chosen is None:
            return
        self._read = chosen.run
        try:
            text = await self.pex.service.report(chosen.run)
        except UserError as error:
            text = error.message
        self._show_text(text)
        self._titled()

    def _show_text(self, text: str) -> None:
        lines = [_painted(clean(line)) for line in text.strip("\n").splitlines()]
        self.query_one("#report", FoldedView).show_folded(partial(folded, lines), anew=True)

    def _titled(self, title: str = "Report") -> None:
        report = self.query_one("#report")
        report.border_title = title
        held = self._compared
        report.border_subtitle = f"c on another run compares it with {held.run}" if held else ""

    @work(group="report", exclusive=True)
    async def action_compare(self) -> None:
        """Compare two runs: the first press marks one, the second press compares."""
        chosen, other = self.query_one(RunTable).chosen, self._compared
        if chosen is None:
            return
        if other is None or other.run == chosen.run:
            self._compared = None if other else chosen
            self._titled()
            return
        self._compared, self._read = None, chosen.run
        try:
            text = await self.pex.service.compare(other.run, chosen.run)
        except UserError as error:
            text = error.message
        self._show_text(text)
        self._titled(f"Run {other.run} against {chosen.run}")

    @command
    async def action_rerun(self) -> None:
        """Review the run's plan, to run it on the current repository."""
        chosen = self.query_one(RunTable).chosen
        if chosen is None:
            return
        try:
            draft = await self.pex.service.plan_of(chosen.run)
        except UserError as error:
            self.app.push_screen(TextScreen("It can't be run again", "\n".join(error.lines)))
        else:
            self.post_message(DraftOpened(draft))

    @command
    async def action_undo(self) -> None:
        """Roll back what the run landed, or bring it back, once confirmed."""
        chosen = self.query_one(RunTable).chosen
        if chosen is None:
            return
        try:
            offer = await self.pex.service.undo_offer(chosen.run)
            title, yes = (
                ("Roll back?", "Roll back") if offer.rollback else ("Bring back?", "Bring it back")
            )
            question = ConfirmScreen(title, "\n".join(offer.lines), yes)
            if await self.app.push_screen_wait(question):
                self.pex.tell(await self.pex.service.undo(offer))
                self._look()
        except UserError as error:
            self.app.push_screen(TextScreen("It can't be undone", "\n".join(error.lines)))

    @command
    async def action_export(self) -> None:
        """Write the run's report to a file."""
        chosen = self.query_one(RunTable).chosen
        if chosen is None:
            return
        hint = "format by extension: .html .md .json .txt · ⏎ writes"
        question = LineScreen("Export the report to", hint, given=f"pex-{chosen.run}.html")
        typed = await self.app.push_screen_wait(question)
        path = Path(typed)
        if not typed or not await may_write(self.app, path):
            return
        try:
            await self.pex.service.export(chosen.run, path)
        except UserError as error:
            self.pex.tell(error.message, is_bad=True)
        else:
            self.pex.tell(f"Written to {path}.")

    def action_move(self, step: int) -> None:
        """Select another run."""
        runs = self.query_one(RunTable)
        runs.move_cursor(row=runs.cursor_row + step)

    def action_copy(self) -> None:
        """Copy the run's id to the clipboard."""
        chosen = self.query_one(RunTable).chosen
        if chosen is not None:
            self.app.copy_to_clipboard(chosen.run)
            self.pex.tell(f"Copied {chosen.run}")

    def action_back(self) -> None:
        """Return to the home screen."""
        self.pex.action_show("monitor" if self.pex.session else "home")


def _painted(line: str) -> Line:
    """Paint a report's line, highlighting headings and the marks of outcomes."""
    if line[:1].strip():
        return ((line, "strong"),)
    body = line.lstrip()
    ink = _MARKS.get(body[:1], "")
    return ((line[: len(line) - len(body)], ""), (body[:1], ink), (body[1:], ""))


def _head(summaries: tuple[RunSummary, ...], room: int) -> Line:
    """Return the outcomes, and as many of the figures as fit."""
    ok = sum(summary.outcome is Outcome.OK for summary in summaries)
    bad = sum(summary.outcome in _BAD for summary in summaries)
    known = [one.figures for one in summaries if one.figures is not None]
    speedups = [one.speedup for one in known if one.speedup is not None]
    line: Line = (
        ("pex ", "brand"),
        ("history   ", "dim"),
        (counted(len(summaries), "run"), "strong"),
        (f"   {ok} succeeded", "done"),
        (f"   {bad} failed" if bad else "", "failed"),
    )
    figures: list[Line] = []
    if speedups:
        figures.append((("   median speed-up ", "dim"), (f"{median(speedups):.1f}×", "")))
    if known:
        met = sum(one.conflicts or 0 for one in known) / len(known)
        figures.append((("   conflicts per run ", "dim"), (f"{met:.1f}", "")))
    for figure in figures:
        if sum(len(text) for text, _ in (*line, *figure)) <= room:
            line += figure
    return line
