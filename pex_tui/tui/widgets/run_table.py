"""Past and live runs as a table."""

import time
from typing import ClassVar

from rich.text import Text
from textual import events

from pex_tui.core.formatting import clock
from pex_tui.core.model.state import Outcome
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import RunFigures, RunSummary
from pex_tui.tui.widgets.painting import symbols_of
from pex_tui.tui.widgets.row_table import RowTable

_COLUMNS = ("RUN", "WHEN", "OUTCOME", "LANDED", "TIME", "SPEED-UP", "CONFLICTS", "COST", "GOAL")
_WIDE = 100  # cells of a table that has room for all of them
_WIDE_ONLY = frozenset({"SPEED-UP", "CONFLICTS", "COST"})
_WORDS = {
    Outcome.OK: "✓ ok",
    Outcome.FAILED: "✗ failed",
    Outcome.GATE_FAILED: "✗ gate failed",
    Outcome.CONFLICTS: "⇄ conflicts",
    Outcome.DENIED: "? denied",
    Outcome.ABORTED: "⊘ aborted",
    Outcome.INTERRUPTED: "‖ interrupted",
    Outcome.ROLLED_BACK: "⊘ rolled back",
}


class RunTable(RowTable):
    """Newest first; the cursor stays on its run when the list changes."""

    YIELDING: ClassVar[frozenset[str]] = frozenset({"GOAL"})

    def __init__(self) -> None:
        super().__init__()
        self.summaries: tuple[RunSummary, ...] = ()
        self._is_narrow: bool | None = None

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
        runs = [summary.run for summary in summaries]
        known = before is not None and before.run in runs
        self._fill(runs.index(before.run) if before is not None and known else self.cursor_row)

    def on_resize(self, event: events.Resize) -> None:
        """Show or hide columns by the width."""
        is_narrow = event.size.width < _WIDE
        if is_narrow is not self._is_narrow:
            self._is_narrow = is_narrow
            self._fill(self.cursor_row)

    def _fill(self, cursor: int) -> None:
        if self._is_narrow is None:
            return  # no room to show anything in
        shown = [name for name in _COLUMNS if not (self._is_narrow and name in _WIDE_ONLY)]
        show = symbols_of(self).text
        rows = []
        for summary in self.summaries:
            cells = dict(zip(_COLUMNS, _cells(summary), strict=True))
            rows.append([Text(show(cells[name]), no_wrap=True) for name in shown])
        self.fill(shown, rows, cursor)


def _cells(summary: RunSummary) -> tuple[str, ...]:
    figures = summary.figures or RunFigures()
    goal = clean(summary.goal.partition("\n")[0])
    return (
        summary.run,
        time.strftime("%d %b %H:%M", time.localtime(summary.created_at)),
        run_status_words(summary),
        f"{summary.landed}/{summary.tasks}",
        clock(summary.worked_seconds),
        "" if figures.speedup is None else f"{figures.speedup:.1f}×",
        _conflicts(summary, figures),
        "" if figures.cost_usd is None else f"${figures.cost_usd:.2f}",
        goal,
    )


def _conflicts(summary: RunSummary, figures: RunFigures) -> str:
    if summary.open_conflicts:
        return f"{summary.open_conflicts} open"
    return str(figures.conflicts or "")


def run_status_words(summary: RunSummary) -> str:
    """Return a run's outcome as a sign and a word."""
    if summary.is_live:
        return "▸ live"
    if summary.is_lost:
        return "‖ no journal"
    return "‖ interrupted" if summary.outcome is None else _WORDS[summary.outcome]
