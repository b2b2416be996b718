"""Past and live runs as a table."""

import time
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.widgets import DataTable

from pex_tui.core.amounts import clock
from pex_tui.core.state import Outcome
from pex_tui.core.text import clean
from pex_tui.engine.session import RunFigures, RunSummary
from pex_tui.tui.widgets.painting import symbols_of
from pex_tui.tui.widgets.table_keys import moving_keys

_COLUMNS = ("RUN", "WHEN", "OUTCOME", "LANDED", "TIME", "SPEED-UP", "CONFLICTS", "COST", "GOAL")
_WORDS = {
    Outcome.OK: "✓ ok",
    Outcome.FAILED: "✗ failed",
    Outcome.GATE_FAILED: "✗ gate failed",
    Outcome.CONFLICTS: "⇄ conflicts",
    Outcome.DENIED: "? denied",
    Outcome.ABORTED: "⊘ aborted",
    Outcome.INTERRUPTED: "‖ interrupted",
}
_GOAL = 44


class RunTable(DataTable[Text], inherit_bindings=False):
    """Newest first; the cursor stays on its run when the list changes."""

    BINDINGS: ClassVar[list[BindingType]] = moving_keys()

    def __init__(self) -> None:
        super().__init__(cursor_type="row")
        self.summaries: tuple[RunSummary, ...] = ()

    def on_mount(self) -> None:
        """Name the columns."""
        self.add_columns(*_COLUMNS)

    @property
    def chosen(self) -> RunSummary | None:
        """The run under the cursor."""
        at = self.cursor_row
        return self.summaries[at] if 0 <= at < len(self.summaries) else None

    def show(self, summaries: tuple[RunSummary, ...]) -> None:
        """Show these runs."""
        if summaries == self.summaries:
            return
        before, self.summaries = self.chosen, summaries
        self.clear()
        show = symbols_of(self).text
        for summary in summaries:
            self.add_row(*(Text(show(cell), no_wrap=True) for cell in _cells(summary)))
        runs = [summary.run for summary in summaries]
        if before is not None and before.run in runs:
            self.move_cursor(row=runs.index(before.run))


def _cells(summary: RunSummary) -> tuple[str, ...]:
    figures = summary.figures or RunFigures()
    goal = clean(summary.goal.partition("\n")[0])
    return (
        summary.run,
        time.strftime("%d %b %H:%M", time.localtime(summary.created_at)),
        outcome_words(summary),
        f"{summary.landed}/{summary.tasks}",
        clock(summary.seconds),
        "" if figures.speedup is None else f"{figures.speedup:.1f}×",
        _conflicts(summary, figures),
        "" if figures.cost_usd is None else f"${figures.cost_usd:.2f}",
        goal if len(goal) <= _GOAL else goal[: _GOAL - 1] + "…",
    )


def _conflicts(summary: RunSummary, figures: RunFigures) -> str:
    if summary.open_conflicts:
        return f"{summary.open_conflicts} open"
    return str(figures.conflicts or "")


def outcome_words(summary: RunSummary) -> str:
    """How a run stands, in a sign and a word."""
    if summary.is_live:
        return "▸ live"
    return "‖ interrupted" if summary.outcome is None else _WORDS[summary.outcome]
