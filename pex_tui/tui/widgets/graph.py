"""A plan's graph, with critical path and selected task highlighted.

Only the visible part is painted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from pex_tui.tui.dag import Cell, Drawing
from pex_tui.tui.widgets.painting import Painted

_MARGIN = 20  # columns kept in view before the selected task
_ABOVE = 3  # rows, likewise
_STEP = 8
_HEAVY = str.maketrans("─│╭╮╰╯├┤┬┴┼-", "━┃┏┓┗┛┣┫┳┻╋=")


class GraphView(Painted):
    """Keeps its own offset, which follows the selected task and can be panned."""

    @dataclass
    class Picked(Message):
        """The task at this position was picked."""

        position: int

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id, classes=classes)
        self._drawing = Drawing(0, 0, {}, {})
        self._path: frozenset[int] = frozenset()
        self._steps: frozenset[tuple[int, int]] = frozenset()
        self._selected: int | None = None
        self._styles: dict[tuple[bool, bool, bool], Style] = {}
        self.left = 0
        self.top = 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows, if the style sheet leaves the height to the content."""
        del container, viewport, width
        return self._drawing.height

    def show(self, drawing: Drawing, critical: Sequence[int], selected: int) -> None:
        """Show another graph."""
        self._path, self._steps = frozenset(critical), frozenset(pairwise(critical))
        taller = drawing.height != self._drawing.height
        self._drawing = drawing
        self.select(selected)
        self.refresh(layout=taller)

    def select(self, position: int) -> None:
        """Highlight another task and bring it into view."""
        self._selected = position
        place = self._drawing.places.get(position)
        if place is not None:
            row, column, width = place
            if not self.left <= column < self.left + max(1, self.size.width - width):
                self.left = column - _MARGIN
            if not self.top <= row < self.top + self.size.height:
                self.top = row - _ABOVE
        self._keep_within()
        self.refresh()

    def pan(self, columns: int, rows: int = 0) -> None:
        """Pan the view."""
        self.left += columns * _STEP
        self.top += rows
        self._keep_within()
        self.refresh()

    def _keep_within(self) -> None:
        self.left = max(0, min(self.left, self._drawing.width - self.size.width))
        self.top = max(0, min(self.top, self._drawing.height - self.size.height))

    def on_resize(self) -> None:
        """Keep the selected task in view."""
        if self._selected is not None:
            self.select(self._selected)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down, or right with shift."""
        self.pan(1, 0) if event.shift else self.pan(0, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up, or left with shift."""
        self.pan(-1, 0) if event.shift else self.pan(0, -1)

    def on_click(self, event: events.Click) -> None:
        """Pick the task under the mouse."""
        offset = event.get_content_offset(self)
        if offset is not None:
            cell = self._drawing.cells.get((self.top + offset.y, self.left + offset.x))
            if cell is not None and cell.node is not None:
                self.post_message(self.Picked(cell.node))

    def notify_style_update(self) -> None:
        """Repaint: the theme may have changed."""
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Return the visible part of a row of the drawing."""
        row, width = self.top + y, self.size.width
        segments: list[Segment] = []
        page = self.rich_style
        for column in range(self.left, self.left + width):
            cell = self._drawing.cells.get((row, column))
            style = page if cell is None else self._style(cell)
            text = " " if cell is None else self._text(cell)
            if segments and segments[-1].style is style:
                segments[-1] = Segment(segments[-1].text + text, style)
            else:
                segments.append(Segment(text, style))
        return Strip(segments, width)

    def _text(self, cell: Cell) -> str:
        """Draw the critical path in heavy lines: colour must not carry meaning alone."""
        if cell.node is None and cell.edges & self._steps:
            return cell.text.translate(_HEAVY)
        return cell.text or " "

    def _style(self, cell: Cell) -> Style:
        is_node, selected = cell.node is not None, self._selected
        if is_node:
            stands_out = cell.node == selected
            on_path = cell.node in self._path
        else:
            stands_out = selected is not None and any(selected in edge for edge in cell.edges)
            on_path = bool(cell.edges & self._steps)
        key = (is_node, stands_out, on_path)
        style = self._styles.get(key)
        if style is None:
            mixed = self._mix(is_node=is_node, stands_out=stands_out, on_path=on_path)
            style = self._styles[key] = self.rich_style + mixed
        return style

    def _mix(self, *, is_node: bool, stands_out: bool, on_path: bool) -> Style:
        colours = self.app.theme_variables
        if is_node:
            if stands_out:
                return Style(color=colours["background"], bgcolor=colours["primary"], bold=True)
            ground = colours["agent-cursor"] if on_path else colours["panel"]
            return Style(color=colours["foreground"], bgcolor=ground, bold=on_path)
        if stands_out:
            return Style(color=colours["secondary"], bold=True)
        return Style(color=colours["primary" if on_path else "agent-dim"])
