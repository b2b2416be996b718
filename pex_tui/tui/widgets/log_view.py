"""An attempt's log: only the lines that show are read, however large the file grows."""

from pathlib import Path

from textual.strip import Strip
from textual.timer import Timer

from pex_tui.engine.logfile import LogReader
from pex_tui.tui.widgets.painting import fit
from pex_tui.tui.widgets.scroller import Scroller

REFRESH_SECONDS = 0.2
_REST_SECONDS = 1.0
_FLOOD_PAGES = 5  # between two looks
_QUIET_LOOKS = 10  # in vain, after which it rests


class LogView(Scroller):
    """Follows a log while it is visible; the file may not exist yet."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._path: Path | None = None
        self._reader: LogReader | None = None
        self._page: tuple[int, list[str]] = (0, [])
        self._looks: tuple[Timer, ...] = ()  # quick ones, and those of a quiet log
        self._is_shown = False
        self._looked_in_vain = 0
        self._is_flooded = False  # the last look brought many pages
        self.set_reactive(LogView.follow, True)  # a reactive's value

    def on_mount(self) -> None:
        """Look for news a few times a second, or once while the log is quiet."""
        self._looks = tuple(
            self.set_interval(seconds, self.read, pause=True)
            for seconds in (REFRESH_SECONDS, _REST_SECONDS)
        )

    def on_show(self) -> None:
        """Visible: read on."""
        self._is_shown = True
        self._looked_in_vain = 0
        for timer in self._looks:
            timer.resume()
        self.read()

    def on_hide(self) -> None:
        """Invisible: rest."""
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
        """Take note of new lines; a flood, which nobody can read, is shown half as often."""
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
        """Look quickly while there is news, and for a while after it."""
        was_quiet = self._looked_in_vain >= _QUIET_LOOKS
        self._looked_in_vain = looked_in_vain
        if self._is_shown and self._looks and was_quiet != (looked_in_vain >= _QUIET_LOOKS):
            (self._looks[0].resume if was_quiet else self._looks[0].pause)()

    def line_total(self) -> int:
        """Lines of the log, or one that says that there is none yet."""
        return (0 if self._reader is None else self._reader.line_count) or 1

    def line(self, index: int, width: int) -> Strip:
        """A line of the log."""
        if self._reader is None or not self._reader.line_count:
            words = "It has printed nothing." if self._path else "It has not started yet."
            return self.paint([(fit(words, width), "dim")], width)
        return self.paint([(fit(self._text(index), width, self.symbols.rest), "")], width)

    def _text(self, index: int) -> str:
        """From the page in memory; a page is what one paint shows."""
        first, lines = self._page
        if not first <= index < first + len(lines) and self._reader is not None:
            first = self.top
            lines = self._reader.lines(first, first + self.page_height)
            self._page = (first, lines)
        at = index - first
        return lines[at] if 0 <= at < len(lines) else ""
