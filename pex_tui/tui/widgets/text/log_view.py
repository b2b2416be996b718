"""An attempt's log: only visible lines are read and folded, however large the file grows."""

import sys
from pathlib import Path

from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer

from pex_tui.logs.indexed import LogReader
from pex_tui.tui.widgets.painting import fit
from pex_tui.tui.widgets.scroller import Scroller
from pex_tui.tui.widgets.text.folding import FoldedLines, Place, Row

REFRESH_SECONDS = 0.2
_REST_SECONDS = 1.0
_FLOOD_PAGES = 5  # between two looks
_QUIET_LOOKS = 10  # looks without news, after which it rests


class LogView(Scroller):
    """Follows a log while visible; the file may not exist yet.

    `top` is the line of the first visible row.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._path: Path | None = None
        self._reader: LogReader | None = None
        self._page: tuple[int, list[str]] = (0, [])
        self._at = 0  # position of the first row in its line
        self._rows: list[Row] = []  # the painted ones
        self._looks: tuple[Timer, ...] = ()  # the fast timer, and that of a quiet log
        self._is_shown = False
        self._looked_in_vain = 0
        self._is_flooded = False  # the last look brought many pages
        self.set_reactive(LogView.follow, True)  # a reactive's value

    def on_mount(self) -> None:
        """Start the timers: several looks per second, or one while the log is quiet."""
        self._looks = tuple(
            self.set_interval(seconds, self.read, pause=True)
            for seconds in (REFRESH_SECONDS, _REST_SECONDS)
        )

    def on_show(self) -> None:
        """Resume reading when visible."""
        self._is_shown = True
        self._looked_in_vain = 0
        for timer in self._looks:
            timer.resume()
        self.read()

    def on_hide(self) -> None:
        """Stop reading when hidden."""
        self._is_shown = False
        for timer in self._looks:
            timer.pause()

    def open(self, path: Path | None) -> None:
        """Show another log, from its end."""
        if path != self._path:
            self._path = path
            self._reader = None if path is None else LogReader(path)
            self._page = (0, [])
            self._is_flooded = False
            self.follow = True
            self.lines_changed()
            self._pace(0)
            self.read()

    def read(self) -> None:
        """Read new lines; a flood, which nobody can read, is shown half as often."""
        if self._is_flooded:
            self._is_flooded = False
            return
        before = self.line_total()
        if self._reader is not None and self._reader.refresh():
            self._is_flooded = self.line_total() - before > _FLOOD_PAGES * self.page_height
            self._page = (0, [])
            self.lines_changed()
            self._pace(0)
        else:
            self._pace(self._looked_in_vain + 1)

    def _pace(self, looked_in_vain: int) -> None:
        """Look often while there is news, and for a while after it."""
        was_quiet = self._looked_in_vain >= _QUIET_LOOKS
        self._looked_in_vain = looked_in_vain
        if self._is_shown and self._looks and was_quiet != (looked_in_vain >= _QUIET_LOOKS):
            (self._looks[0].resume if was_quiet else self._looks[0].pause)()

    def line_total(self) -> int:
        """Return the number of lines, or one for a log that has none yet."""
        return (0 if self._reader is None else self._reader.line_count) or 1

    def lines_changed(self, *indices: int) -> None:
        """Repaint the log; with `follow`, show its end."""
        del indices
        self._go(self._end if self.follow else self._place)

    def scroll_lines(self, lines: int) -> None:
        """Scroll by rows; moving up stops following, reaching the end does not resume it."""
        if lines < 0:
            self.follow = False
        self._go(self._folded.moved(self._place, lines))

    def action_edge(self, edge: int) -> None:
        """Go to the first or the last row."""
        if edge < 0:
            self.follow = False
        self._go(Place(0, 0) if edge < 0 else self._end)

    def validate_top(self, top: int) -> int:
        """Accept any value: the last valid row depends on how the last lines are folded."""
        return top

    @property
    def _place(self) -> Place:
        return Place(self.top, self._at)

    @property
    def _end(self) -> Place:
        """Return the place beyond the last row."""
        return Place(self.line_total() - 1, sys.maxsize)

    @property
    def _folded(self) -> FoldedLines:
        """Return the lines, folded beside the column of the scrollbar."""
        return FoldedLines(self._text, self.line_total(), self.size.width - 1)

    def _go(self, place: Place) -> None:
        """Show the log from the place, or from the start of its last page."""
        folded, height = self._folded, self.page_height
        if place.line >= folded.total - height:  # a line is at least one row
            place = min(place, folded.moved(self._end, 1 - height))
        self.top, self._at = place
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the widget's lines, folded once for all of them."""
        self._rows = self._folded.page(self._place, self.page_height)
        return super().render_lines(crop)

    def row(self, y: int, width: int) -> Strip:
        """Return a row of a line."""
        has_lines = self._reader is not None and self._reader.line_count
        text = self._rows[y].text if y < len(self._rows) else ""
        return self.paint([(fit(text, width), "" if has_lines else "dim")], width)

    def thumb(self) -> range:
        """Return the scrollbar's thumb by lines and fractions: the total of rows is unknown."""
        if not self._rows:
            return range(0)
        since = self._rows[0].since
        return self.thumb_of(since, self._rows[-1].until - since, self.line_total())

    def _text(self, index: int) -> str:
        """Return a line from memory, which holds those of a page around the latest request."""
        if self._reader is None or not self._reader.line_count:
            return "No output." if self._path else "Not started yet."
        first, lines = self._page
        if not first <= index < first + len(lines):
            first = max(0, index - self.page_height)
            read = self._reader.lines(first, index + self.page_height)
            lines = [self.symbols.text(line) for line in read]
            self._page = (first, lines)
        at = index - first
        return lines[at] if 0 <= at < len(lines) else ""
