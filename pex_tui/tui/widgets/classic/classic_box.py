"""The specification's boxed monitor as a widget, which paints the box and keeps the cursor."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from pex_tui.core.model.ids import TaskId
from pex_tui.tui.widgets.classic.classic_lines import Canvas, Page, draw
from pex_tui.tui.widgets.classic.classic_view import ClassicView
from pex_tui.tui.widgets.painting import Painted
from pex_tui.tui.widgets.scroller import Scroller


class ClassicBox(Painted, can_focus=True):
    """A box as wide as the widget; only lines that differ are repainted."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = Scroller.BINDINGS

    view: var[ClassicView | None] = var(None)
    cursor: var[TaskId | None] = var(None)

    @dataclass
    class Moved(Message):
        """The cursor is on another task."""

        task: TaskId | None

    def __init__(self) -> None:
        super().__init__()
        self._page = Page(())
        self._drawn_for = Size(0, 0)

    def watch_view(self, before: ClassicView | None, after: ClassicView | None) -> None:
        """Draw the new view; a cursor without a task goes to the first one."""
        del before
        rows = () if after is None else after.rows
        if self._place() is None:
            self.cursor = rows[0].id if rows else None
        self._draw()

    def watch_cursor(self) -> None:
        """Keep the cursor in view."""
        self._draw()
        self.post_message(self.Moved(self.cursor))

    def _draw(self) -> None:
        """Compute the lines and repaint those that differ."""
        old, width = self._page.lines, self.size.width
        self._work_out()
        new = self._page.lines
        if len(old) != len(new):
            self.refresh()
            return
        changed = [y for y, line in enumerate(new) if line != old[y]]
        if changed:
            self.refresh(Region(0, changed[0], width, changed[-1] - changed[0] + 1))

    def _work_out(self) -> None:
        self._drawn_for = self.size
        canvas = Canvas(self.size.width, self.size.height, self.symbols)
        self._page = draw(self.view, canvas, self.cursor, self._page.top)

    def _place(self) -> int | None:
        rows = () if self.view is None else self.view.rows
        return next((at for at, row in enumerate(rows) if row.id == self.cursor), None)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the widget's lines, after drawing the box if its size has changed."""
        if self.size != self._drawn_for:
            self._work_out()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return a line of the box, or an empty one below it."""
        width = self.size.width
        if y >= len(self._page.lines):
            return self.paint((), width)
        line = self._page.lines[y]
        if not line.is_selected or width < 2:  # noqa: PLR2004  # both sides of the frame
            return self.paint(line.pieces, width)
        first, *inside, last = line.pieces
        inner = self.paint(inside, width - 2, "cursor")
        return Strip.join([self.paint([first], 1), inner, self.paint([last], 1)])

    def notify_style_update(self) -> None:
        """Repaint all lines: the theme may have changed."""
        super().notify_style_update()
        self.refresh()

    def _move(self, lines: int) -> None:
        rows = () if self.view is None else self.view.rows
        if rows:
            at = (self._place() or 0) + lines
            self.cursor = rows[max(0, min(len(rows) - 1, at))].id

    def action_go(self, lines: int) -> None:
        """Move the cursor."""
        self._move(lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor by a page."""
        self._move(pages * max(1, self._page.room - 1))

    def action_edge(self, edge: int) -> None:
        """Move the cursor to the first or the last task."""
        self._move(edge * (0 if self.view is None else len(self.view.rows)))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the mouse."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < len(self._page.lines):
            self.cursor = self._page.lines[offset.y].task or self.cursor

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Select the next task."""
        event.stop()
        self._move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Select the previous task."""
        event.stop()
        self._move(-1)
