"""Figures beside the timeline if they fit: usage, waiting and landed tasks."""

from itertools import pairwise

from textual.reactive import reactive
from textual.strip import Strip

from pex_tui.core.formatting import UNKNOWN, counted, percent, size, tokens
from pex_tui.core.views.view_models import HeaderView
from pex_tui.engine.session import Usage
from pex_tui.tui.widgets.header import UsageView
from pex_tui.tui.widgets.painting import Painted, Piece, fit
from pex_tui.tui.widgets.spark import sparkline

_LABEL = 8
_FIGURE = 6


class MetricsPanel(Painted):
    """Graphs of usage, tasks by status, spending and the merge queue; as many lines as fit."""

    view: reactive[HeaderView | None] = reactive(None)
    history: reactive[UsageView] = reactive(UsageView())
    usage: reactive[Usage] = reactive(Usage())
    queue: reactive[tuple[str, ...]] = reactive(())

    def render_line(self, y: int) -> Strip:
        """Return a line of figures."""
        lines = self._lines(self.size.width)
        return self.paint(lines[y] if y < len(lines) else (), self.size.width)

    def _lines(self, width: int) -> list[list[Piece]]:
        lines = self._graphs(width)
        view = self.view
        if view is not None:
            lines.append([])
            for status, count in view.counts:
                symbol = self.symbols.padded(status)
                lines.append(
                    [(f"{symbol} {status}".ljust(_LABEL + 4), status), (f"{count:>4}", "")]
                )
            lines += self._spent(view, width)
        if self.queue:
            queue = " → ".join(self.queue)
            lines += [[], [("queue".ljust(_LABEL), "dim"), (fit(queue, width - _LABEL), "")]]
        if self.usage.by_task:
            lines += [[], [(counted(len(self.usage.by_task), "process tree"), "dim")]]
            for task, cpu, memory in self.usage.by_task:
                figures = f"{percent(cpu):>5} {size(memory):>5}"
                name = fit(task, max(4, width - len(figures)), self.symbols.rest)
                lines.append([(name, ""), (figures, "dim")])
        return lines

    def _graphs(self, width: int) -> list[list[Piece]]:
        cpu, memory = self.history.cpu, self.history.memory
        if not cpu:
            return [[("No measurements yet.", "dim")]]
        room = max(4, width - _LABEL - _FIGURE)
        glyphs = self.symbols.spark
        return [
            [
                ("cpu".ljust(_LABEL), "dim"),
                (sparkline(cpu, room, 1.0, glyphs).rjust(room), "info"),
                (f"{percent(cpu[-1]):>5}", ""),
            ],
            [
                ("mem".ljust(_LABEL), "dim"),
                (sparkline(memory, room, max(memory) * 1.5, glyphs).rjust(room), "info"),
                (f"{size(memory[-1]):>5}", ""),
            ],
        ]

    def _spent(self, view: HeaderView, width: int) -> list[list[Piece]]:
        """Return tokens and cost, with their increase between measurements.

        A dash if unreported.
        """
        used = UNKNOWN if view.tokens is None else tokens(view.tokens)
        cost = UNKNOWN if view.cost_usd is None else f"${view.cost_usd:.2f}"
        lines: list[list[Piece]] = [[]]
        for label, totals, figure in (
            ("tokens", self.history.tokens, used),
            ("cost", self.history.cost_usd, cost),
        ):
            steps = [after - before for before, after in pairwise(totals)]
            most = max(steps, default=0)
            room = max(4, width - _LABEL - _FIGURE)
            graph = sparkline(steps, room, most, self.symbols.spark) if most else ""
            lines.append(
                [
                    (label.ljust(_LABEL), "dim"),
                    (graph.rjust(room), "info"),
                    (figure.rjust(_FIGURE), ""),
                ]
            )
        return lines
