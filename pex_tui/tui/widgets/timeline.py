"""The timeline: when each task waited, worked and landed."""

from textual.geometry import Region
from textual.reactive import var
from textual.strip import Strip

from pex_tui.core.model.ids import TaskId
from pex_tui.core.views.timeline import SpanKind, TimelineRow, TimelineView
from pex_tui.core.views.view_models import TaskRow
from pex_tui.tui.widgets.painting import Piece, fit
from pex_tui.tui.widgets.scroller import Scroller

_LONGEST_LABEL = 12
_INKS = {
    SpanKind.WAITING: "faint",
    SpanKind.WAITING_SLOT: "dim",
    SpanKind.WAITING_EXCLUDED: "conflict",
    SpanKind.WAITING_RESOURCE: "retrying",
    SpanKind.WAITING_LIMIT: "dim",
    SpanKind.WAITING_BUDGET: "paused",
    SpanKind.WAITING_MEMORY: "retrying",
    SpanKind.STARTING: "starting",
    SpanKind.RUNNING: "running",
    SpanKind.PAUSED: "paused",
    SpanKind.LANDING: "landing",
    SpanKind.CONFLICT: "conflict",
    SpanKind.RETRYING: "retrying",
    SpanKind.DONE: "done",
    SpanKind.FAILED: "failed",
    SpanKind.BLOCKED: "blocked",
    SpanKind.EXPECTED: "faint",
}
_WAITS = frozenset(kind for kind in SpanKind if kind.startswith("waiting")) | {SpanKind.RETRYING}
_SHADED = frozenset({SpanKind.EXPECTED, SpanKind.PAUSED})


class Timeline(Scroller):
    """One line per task, in the order of the list, below a time axis."""

    pinned = 1

    view: var[TimelineView | None] = var(None)
    order: var[tuple[TaskRow, ...]] = var(())
    cursor: var[TaskId | None] = var(None)

    def line_total(self) -> int:
        """Return the number of tasks."""
        return 0 if self.view is None else len(self.order)

    @property
    def label_width(self) -> int:
        """Cells before the axis begins."""
        longest = max((len(row.id) for row in self.order), default=0)
        return self.symbols.width + 1 + min(longest, _LONGEST_LABEL) + 1

    @property
    def axis_width(self) -> int:
        """Cells of the axis; one is left for the scrollbar."""
        return max(1, self.size.width - self.label_width - 1)

    def watch_view(self, before: TimelineView | None, after: TimelineView | None) -> None:
        """Repaint the rows whose spans have changed, and the axis if it has."""
        if before is None or after is None:
            self.lines_changed()
            return
        if (before.ticks, before.now) != (after.ticks, after.now):
            self.refresh(Region(0, 0, self.size.width, self.pinned))
        known = {row.id: row for row in before.rows}
        changed = {row.id for row in after.rows if known.get(row.id) != row}
        places = [at for at, row in enumerate(self.order) if row.id in changed]
        if places:
            self.lines_changed(*places)

    def watch_order(self, before: tuple[TaskRow, ...], after: tuple[TaskRow, ...]) -> None:
        """Repaint in the new order; only a row's task and mark matter here."""
        if [(row.id, row.status) for row in before] != [(row.id, row.status) for row in after]:
            self.lines_changed()

    def watch_cursor(self) -> None:
        """Keep the list's cursor in view."""
        at = next((at for at, row in enumerate(self.order) if row.id == self.cursor), None)
        if at is not None:
            self.top = max(min(self.top, at), at - self.page_height + 1)
        self.refresh()

    def pinned_line(self, y: int, width: int) -> Strip:
        """Return the axis."""
        del y
        axis = [" "] * (self.axis_width + 1)
        view = self.view
        if view is None:
            return self.paint((), width)
        now = f"now{self.symbols.present}"
        place = max(0, min(view.now, len(axis)) - 3)
        for at, label in view.ticks:
            if at + len(label) < place:
                axis[at : at + len(label)] = label
        axis[place : place + len(now)] = now
        return self.paint([(" " * self.label_width, ""), ("".join(axis), "dim")], width)

    def line(self, index: int, width: int) -> Strip:
        """Return a task's spans."""
        row = self.order[index]
        spans = {one.id: one for one in self.view.rows}.get(row.id) if self.view else None
        strong = "strong" if row.id == self.cursor else "dim"
        label = fit(row.id, self.label_width - self.symbols.width - 1, self.symbols.rest)
        pieces: list[Piece] = [(self.symbols.padded(row.status), row.status), (f" {label}", strong)]
        pieces += self._drawn(spans) if spans is not None else []
        return self.paint(pieces, width)

    def _drawn(self, row: TimelineRow) -> list[Piece]:
        pieces: list[Piece] = []
        used = 0
        for span in row.spans:
            pieces.append((" " * (span.start - used), ""))
            pieces.append((self._glyph(span.kind) * (span.stop - span.start), _INKS[span.kind]))
            used = span.stop
        return pieces

    def _glyph(self, kind: SpanKind) -> str:
        if kind in _WAITS:
            return self.symbols.waiting
        return self.symbols.expected if kind in _SHADED else self.symbols.block
