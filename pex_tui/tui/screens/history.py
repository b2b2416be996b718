"""History: past runs, and the report of the one that is selected."""

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Footer

from pex_tui.core.state import Outcome
from pex_tui.core.text import clean
from pex_tui.engine.session import RunSummary
from pex_tui.errors import UserError
from pex_tui.tui.widgets.run_table import RunTable
from pex_tui.tui.widgets.text_view import Line, TextView

if TYPE_CHECKING:
    from pex_tui.tui.app import PexApp


class HistoryScreen(Screen[None]):
    """All runs of this repository; their reports below."""

    CSS_PATH: ClassVar = "../styles/home.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy id", id="history.copy"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("escape", "back", "Back", id="history.back"),
    ]

    @property
    def pex(self) -> "PexApp":
        """The app."""
        return self.app  # type: ignore[return-value]  # no other app shows this screen

    def compose(self) -> ComposeResult:
        """Head, runs, report."""
        yield TextView(id="head")
        runs = RunTable()
        runs.add_class("panel")
        runs.id = "runs"
        yield runs
        yield TextView(id="report", classes="panel")
        yield Footer(show_command_palette=True)

    def on_mount(self) -> None:
        """Name the panels."""
        self.query_one("#runs").border_title = "Runs"
        self.query_one("#report").border_title = "Report"
        self.query_one(RunTable).focus()
        self._look()

    def on_screen_resume(self) -> None:
        """Another run may have ended."""
        self._look()

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        try:
            summaries = await self.pex.workshop.runs()
        except UserError as error:
            self.pex.tell(error.message, is_bad=True)
            return
        self.query_one(RunTable).show(summaries)
        self.query_one("#head", TextView).show(_head(summaries))
        self._show_report()

    @on(DataTable.RowHighlighted)
    def _chosen(self) -> None:
        self._show_report()

    @work(group="report", exclusive=True)
    async def _show_report(self) -> None:
        chosen = self.query_one(RunTable).chosen
        if chosen is None:
            return
        try:
            text = await self.pex.workshop.report(chosen.run)
        except UserError as error:
            text = error.message
        lines: list[Line] = [((clean(line), ""),) for line in text.strip("\n").splitlines()]
        self.query_one("#report", TextView).show(lines, anew=True)

    def action_move(self, step: int) -> None:
        """Select another run."""
        runs = self.query_one(RunTable)
        runs.move_cursor(row=runs.cursor_row + step)

    def action_copy(self) -> None:
        """Put the run's id on the clipboard."""
        chosen = self.query_one(RunTable).chosen
        if chosen is not None:
            self.app.copy_to_clipboard(chosen.run)
            self.pex.tell(f"Copied {chosen.run}")

    def action_back(self) -> None:
        """Back to where the runs start."""
        self.pex.action_show("monitor" if self.pex.session else "home")


def _head(summaries: tuple[RunSummary, ...]) -> list[Line]:
    ok = sum(summary.outcome is Outcome.OK for summary in summaries)
    return [
        (
            ("pex ", "brand"),
            ("history   ", "dim"),
            (f"{len(summaries)} run{'' if len(summaries) == 1 else 's'}", "strong"),
            (f"   {ok} ended well", "done"),
        )
    ]
