"""Lines that scroll inside a widget, painted one by one: only what shows is ever worked out."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from pex_tui.tui.widgets.painting import Painted

_WHEEL_LINES = 3


class Scroller(Painted, can_focus=True):
    """Keeps its own offset, so that growing content never lays the screen out again.

    `top` is the first line shown; `follow` keeps the end in sight.
    """

    pinned: ClassVar[int] = 0  # lines at the top that don't scroll
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "go(1)", "Down", show=False),
        Binding("k,up", "go(-1)", "Up", show=False),
        Binding("g,home", "edge(-1)", "Top", show=False),
        Binding("G,end", "edge(1)", "Bottom", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
    ]

    _extent = Size(0, 0)
    _thumb = range(0)
    top: var[int] = var(0)
    follow: var[bool] = var(default=False)

    def line_total(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line(self, index: int, width: int) -> Strip:
        """A line, in exactly `width` cells."""
        raise NotImplementedError

    def pinned_line(self, y: int, width: int) -> Strip:
        """A line that doesn't scroll."""
        raise NotImplementedError

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """All lines, where the style sheet leaves the height to the content."""
        del container, viewport, width
        return self.pinned + self.line_total()

    @property
    def page_height(self) -> int:
        """How many lines fit."""
        return max(1, self.size.height - self.pinned)

    @property
    def last_top(self) -> int:
        """The offset that shows the end."""
        return max(0, self.line_total() - self.page_height)

    def validate_top(self, top: int) -> int:
        """Never beyond the end."""
        return max(0, min(top, self.last_top))

    def watch_top(self) -> None:
        """Paint from the new offset."""
        self.refresh()

    class Followed(Message):
        """Following began or ended."""

    def watch_follow(self) -> None:
        """Go to the end at once."""
        self.lines_changed()
        self.post_message(self.Followed())

    def lines_changed(self, *indices: int) -> None:
        """Paint these lines anew, or all; with `follow`, show the end."""
        last_top = self.last_top
        top = last_top if self.follow else min(self.top, last_top)
        if top != self.top or not indices:
            self.top = top
            self.refresh()
            return
        width, height = self.size
        shown = [y for index in indices if self.pinned <= (y := self.pinned + index - top) < height]
        if shown:  # one region costs the compositor less than the gaps between many
            first = min(shown)
            self.refresh(Region(0, first, width, max(shown) - first + 1))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines of the widget; its size, which Textual works out anew each time, is read once."""
        self._extent, self._thumb = self.size, self.thumb()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """A line of the widget; the last column holds the scrollbar when there is one."""
        width = self._extent.width
        if y < self.pinned:
            return self.pinned_line(y, width)
        if not self._thumb:
            return self.row(y - self.pinned, width)
        return Strip.join([self.row(y - self.pinned, width - 1), self._scrollbar(y)])

    def row(self, y: int, width: int) -> Strip:
        """A line of the widget below those that don't scroll."""
        index = self.top + y
        return self.line(index, width) if index < self.line_total() else self.paint((), width)

    def thumb(self) -> range:
        """The rows of the scrollbar's thumb; none when all lines fit."""
        return self.thumb_of(self.top, self.page_height, self.line_total())

    def thumb_of(self, first: float, shown: float, total: int) -> range:
        """The thumb when so many lines of a total are shown from the first on."""
        if shown >= total:
            return range(0)
        height = self.page_height
        length = max(1, round(height * shown / total))
        start = round(first / (total - shown) * (height - length))
        return range(start, start + length)

    def _scrollbar(self, y: int) -> Strip:
        glyph = "┃" if self.symbols.name != "ascii" else "|"
        return self.paint([(glyph, "dim" if y - self.pinned in self._thumb else "track")], 1)

    def scroll_lines(self, lines: int) -> None:
        """Move by lines; going up ends following, reaching the end does not begin it."""
        if lines < 0:
            self.follow = False
        self.top += lines

    def action_go(self, lines: int) -> None:
        """One line up or down."""
        self.scroll_lines(lines)

    def action_page(self, pages: int) -> None:
        """One page up or down."""
        self.scroll_lines(pages * max(1, self.page_height - 1))

    def action_edge(self, edge: int) -> None:
        """To the first or the last line."""
        self.scroll_lines(edge * self.line_total())

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(_WHEEL_LINES)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-_WHEEL_LINES)

    def on_resize(self) -> None:
        """Keep the offset within the lines."""
        self.lines_changed()
