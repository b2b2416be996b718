"""Scrolling lines inside a widget, painted one by one: only visible lines are computed."""

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
    """Keeps its own offset, so that growing content never triggers a layout.

    `top` is the first visible line; `follow` keeps the end in view.
    """

    pinned: ClassVar[int] = 0  # lines at the top that do not scroll
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
        """Return the number of lines."""
        raise NotImplementedError

    def line(self, index: int, width: int) -> Strip:
        """Return a line, in exactly `width` cells."""
        raise NotImplementedError

    def pinned_line(self, y: int, width: int) -> Strip:
        """Return a line that does not scroll."""
        raise NotImplementedError

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines, if the style sheet leaves the height to the content."""
        del container, viewport, width
        return self.pinned + self.line_total()

    @property
    def page_height(self) -> int:
        """The number of lines that fit."""
        return max(1, self.size.height - self.pinned)

    @property
    def last_top(self) -> int:
        """The offset that shows the end."""
        return max(0, self.line_total() - self.page_height)

    def validate_top(self, top: int) -> int:
        """Limit the offset to the end."""
        return max(0, min(top, self.last_top))

    def watch_top(self) -> None:
        """Repaint from the new offset."""
        self.refresh()

    class Followed(Message):
        """Following has started or stopped."""

    def watch_follow(self) -> None:
        """Go to the end at once."""
        self.lines_changed()
        self.post_message(self.Followed())

    def lines_changed(self, *indices: int) -> None:
        """Repaint these lines, or all; with `follow`, show the end."""
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
        """Return the widget's lines; its size, which Textual recomputes each time, is read once."""
        self._extent, self._thumb = self.size, self.thumb()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return a line of the widget; the last column holds the scrollbar, if there is one."""
        width = self._extent.width
        if y < self.pinned:
            return self.pinned_line(y, width)
        if not self._thumb:
            return self.row(y - self.pinned, width)
        return Strip.join([self.row(y - self.pinned, width - 1), self._scrollbar(y)])

    def row(self, y: int, width: int) -> Strip:
        """Return a line of the widget below those that do not scroll."""
        index = self.top + y
        return self.line(index, width) if index < self.line_total() else self.paint((), width)

    def thumb(self) -> range:
        """Return the rows of the scrollbar's thumb; none if all lines fit."""
        return self.thumb_of(self.top, self.page_height, self.line_total())

    def thumb_of(self, first: float, shown: float, total: int) -> range:
        """Return the thumb for so many visible lines of a total, from the first on."""
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
        """Move by lines; moving up stops following, reaching the end does not resume it."""
        if lines < 0:
            self.follow = False
        self.top += lines

    def action_go(self, lines: int) -> None:
        """Move one line up or down."""
        self.scroll_lines(lines)

    def action_page(self, pages: int) -> None:
        """Move one page up or down."""
        self.scroll_lines(pages * max(1, self.page_height - 1))

    def action_edge(self, edge: int) -> None:
        """Go to the first or the last line."""
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
