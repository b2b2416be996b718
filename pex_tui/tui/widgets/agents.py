"""The list of a run's agents, one painted line each, with cursor and marks."""

from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.views.status import Status
from pex_tui.core.views.view_models import TaskRow
from pex_tui.tui.widgets.columns import Columns, Detail, columns
from pex_tui.tui.widgets.painting import Piece, fit
from pex_tui.tui.widgets.scroller import Scroller

SORTS = ("plan", "status", "id", "time")
_URGENT = (
    Status.ASKING,
    Status.CONFLICT,
    Status.FAILED,
    Status.RUNNING,
    Status.STARTING,
    Status.PAUSED,
    Status.STOPPING,
    Status.RETRYING,
    Status.LANDING,
    Status.WAITING,
    Status.BLOCKED,
    Status.DONE,
)
_LIVE = frozenset({Status.RUNNING, Status.ASKING, Status.PAUSED, Status.STOPPING, Status.LANDING})
_COLOURED = frozenset(
    {Status.ASKING, Status.PAUSED, Status.RETRYING, Status.CONFLICT, Status.FAILED, Status.STOPPING}
)
_QUIET = frozenset({Status.WAITING, Status.BLOCKED})


class AgentList(Scroller):
    """Rows of tasks with a cursor and marks; a changed row repaints only itself."""

    pinned = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "Mark", show=False, id="agents.mark"),
        Binding("enter", "open", "Open", key_display="⏎", id="agents.open"),
    ]

    rows: var[tuple[TaskRow, ...]] = var(())
    needle: var[str] = var("")
    sort: var[str] = var(SORTS[0])
    cursor: var[TaskId | None] = var(None)
    run: var[str] = var("")

    @dataclass
    class Moved(Message):
        """The cursor is on another task."""

        task: TaskId | None

    class Opened(Message):
        """The task under the cursor was opened."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id)
        self.detail: Detail = "high"
        self.chosen: frozenset[TaskId] = frozenset()
        self._shown: tuple[TaskRow, ...] = ()
        self._columns: Columns | None = None
        self._full_width = 0
        self._strips: dict[TaskId, tuple[object, Strip]] = {}

    @property
    def shown(self) -> tuple[TaskRow, ...]:
        """The rows that match the filter, in order."""
        return self._shown

    @property
    def targets(self) -> tuple[TaskId, ...]:
        """The targets of an action: the marked tasks, or the one under the cursor."""
        marked = tuple(row.id for row in self.rows if row.id in self.chosen)
        return marked or (() if self.cursor is None else (self.cursor,))

    def line_total(self) -> int:
        """Return the number of rows that match the filter."""
        return len(self._shown)

    def watch_rows(self, before: tuple[TaskRow, ...]) -> None:
        """Repaint what differs; lay out again only if rows were added, removed or moved."""
        order = [row.id for row in self._shown]
        if [row.id for row in before] != [row.id for row in self.rows]:
            known = {row.id for row in self.rows}
            self.chosen &= known
            self._strips = {key: strip for key, strip in self._strips.items() if key in known}
            self._columns = None
        if _spends(before) is not _spends(self.rows):
            self._columns = None
            self.lines_changed()
        old = {row.id: row for row in self._shown}
        self._shown = self._arranged()
        if [row.id for row in self._shown] == order:
            changed = [at for at, row in enumerate(self._shown) if old[row.id] != row]
            if changed:
                self.lines_changed(*changed)
        else:
            self._arrange()
        if len(order) != len(self._shown):
            self.refresh(layout=True)

    def watch_needle(self) -> None:
        """Show what matches."""
        self._arrange()

    def watch_sort(self) -> None:
        """Show in another order."""
        self._arrange()

    def watch_run(self) -> None:
        """Lay out again: the branch column depends on the run."""
        self._columns = None

    def watch_cursor(self, before: TaskId | None, after: TaskId | None) -> None:
        """Repaint both rows and keep the cursor in view."""
        places = [at for at, row in enumerate(self._shown) if row.id in {before, after}]
        at = self._place()
        if at is not None:
            self.top = max(min(self.top, at), at - self.page_height + 1)
        if places:
            self.lines_changed(*places)
        if before != after:
            self.post_message(self.Moved(after))

    def _arranged(self) -> tuple[TaskRow, ...]:
        needle = self.needle.casefold()
        rows = [
            row
            for row in self.rows
            if not needle
            or needle
            in f"{row.id}\n{row.agent}\n{row.title}\n{row.status}\n{row.activity}".casefold()
        ]
        if self.sort == "status":
            rows.sort(key=lambda row: _URGENT.index(row.status))
        elif self.sort == "id":
            rows.sort(key=lambda row: row.id)
        elif self.sort == "time":
            rows.sort(key=lambda row: (len(row.time), row.time), reverse=True)
        return tuple(rows)

    def _arrange(self) -> None:
        self._shown = self._arranged()
        if self._place() is None:
            self.cursor = self._shown[0].id if self._shown else None
        self.lines_changed()

    def _place(self) -> int | None:
        return next((at for at, row in enumerate(self._shown) if row.id == self.cursor), None)

    def pinned_line(self, y: int, width: int) -> Strip:
        """Return the column headings."""
        del y
        shape = self._shape(width)
        head: list[Piece] = [(" " * (2 + self.symbols.width), ""), (fit("ID", shape.id + 1), "dim")]
        head.append((fit("AGENT", shape.agent + 1), "dim"))
        if shape.title:
            head.append((fit("TASK", shape.title + 1), "dim"))
        head.append((fit("PROGRESS", shape.bar + 6), "dim"))
        head.append((fit("ACTIVITY", shape.activity), "dim"))
        if shape.time:
            head.append(("TIME".rjust(shape.time), "dim"))
        if shape.spent:
            head += [("TOK".rjust(shape.spent), "dim"), ("COST".rjust(shape.spent), "dim")]
        head.append((" ", ""))
        if shape.ref:
            head.append((fit("  REF", shape.ref), "dim"))
        return self.paint(head, width)

    def line(self, index: int, width: int) -> Strip:
        """Return a task's row."""
        row = self._shown[index]
        here = row.id == self.cursor
        shape = self._shape(width)
        key = (row, here, row.id in self.chosen, shape)
        known = self._strips.get(row.id)
        if known is not None and known[0] == key:
            return known[1]
        strip = self.paint(self._pieces(row, shape), width, "cursor" if here else "")
        self._strips[row.id] = (key, strip)
        return strip

    def _shape(self, width: int) -> Columns:
        """Return the columns of a row; the scrollbar's cell is taken from the activity."""
        if self._columns is None:
            full = self.size.width
            self._columns = columns(
                full, self.symbols.width, self.rows, RunId(self.run), self.detail
            )
            self._full_width = full
        spare = self._full_width - width
        if not spare:
            return self._columns
        return replace(self._columns, activity=self._columns.activity - spare)

    def _pieces(self, row: TaskRow, shape: Columns) -> list[Piece]:
        symbols, rest = self.symbols, self.symbols.rest
        dim = "dim" if row.status in _QUIET else ""
        pieces: list[Piece] = [
            (symbols.chosen, "brand") if row.id in self.chosen else (" ", ""),
            (symbols.padded(row.status), row.status),
            (" ", ""),
        ]
        pieces += self._identity(row, shape.id)
        pieces.append((fit(row.agent, shape.agent, rest) + " ", dim))
        if shape.title:
            pieces.append((fit(row.title, shape.title, rest) + " ", "dim"))
        pieces += self.bar(row.progress, shape.bar, row.status, is_live=row.status in _LIVE)
        pieces.append((row.percent.rjust(5) + " ", dim))
        loud = row.status if row.status in _COLOURED else dim
        attempt = f"attempt {row.attempt}: " if self.detail == "full" and row.attempt else ""
        pieces.append((fit(f"{attempt}{row.activity}", shape.activity, rest), loud))
        if shape.time:
            pieces.append((row.time.rjust(shape.time), dim))
        if shape.spent:
            pieces += [(text.rjust(shape.spent), dim) for text in (row.tokens, row.cost)]
        if shape.ref:
            pieces.append(("  " + fit(row.ref, shape.ref - 2, rest), "dim"))
        return pieces

    def _identity(self, row: TaskRow, width: int) -> list[Piece]:
        boost = self.symbols.boost if row.boosted else ""
        name = fit(row.id, min(len(row.id), width - len(boost)), self.symbols.rest)
        pad = " " * (width + 1 - len(name) - len(boost))
        return [(name, "strong"), (boost, "starting"), (pad, "")]

    def notify_style_update(self) -> None:
        """Discard all painted lines: the colours have changed."""
        self._strips.clear()
        super().notify_style_update()

    def on_resize(self) -> None:
        """Lay out again: columns depend on the width."""
        self._columns = None
        super().on_resize()

    def action_go(self, lines: int) -> None:
        """Move the cursor."""
        self._move(lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a page."""
        self._move(pages * max(1, self.page_height - 1))

    def action_edge(self, edge: int) -> None:
        """Move the cursor to the first or the last row."""
        self._move(edge * len(self._shown))

    def _move(self, lines: int) -> None:
        if self._shown:
            at = (self._place() or 0) + lines
            self.cursor = self._shown[max(0, min(len(self._shown) - 1, at))].id

    def action_choose(self) -> None:
        """Toggle the mark of the task under the cursor, and move down."""
        if self.cursor is not None:
            self.chosen ^= {self.cursor}
            at = self._place()
            self.lines_changed(*([] if at is None else [at]))
            self._move(1)
            self.post_message(self.Moved(self.cursor))

    def clear_marks(self) -> None:
        """Clear all marks."""
        self.chosen = frozenset()
        self.refresh()

    def action_open(self) -> None:
        """Open the task."""
        self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the mouse; a second click opens the task."""
        offset = event.get_content_offset(self)
        at = self.top + offset.y - self.pinned if offset is not None else -1
        if offset is not None and offset.y >= self.pinned and at < len(self._shown):
            self.cursor = self._shown[at].id
            if event.chain == 2:  # noqa: PLR2004  # a double click
                self.action_open()


def _spends(rows: tuple[TaskRow, ...]) -> bool:
    """Return whether any agent reports its usage; its columns are hidden otherwise."""
    return any(row.tokens or row.cost for row in rows)
