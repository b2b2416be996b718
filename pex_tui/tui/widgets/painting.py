"""Paint lines of cells: inks from the style sheet, text fitted to columns, never markup."""

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from pex_tui.core.views.status import Status
from pex_tui.tui.symbols import SymbolSet, choose

INKS = {status.value: f"agent-{status}" for status in Status} | {
    "dim": "agent-dim",
    "faint": "agent-faint",
    "track": "agent-track",
    "brand": "primary",
    "info": "secondary",
    "added": "success",
    "removed": "error",
    "hunk": "accent",
}
"""The theme variable of each ink; "strong" and "cursor" are inks as well."""

_FALLBACK = choose("line", "utf-8")

Piece = tuple[str, str]
"""A text and the ink it is painted with; "" is the widget's own colour."""


def fit(text: str, width: int, rest: str = "…") -> str:
    """Return the text in exactly `width` cells, padded or truncated with a mark."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + rest


def shortened(text: str, most: int) -> str:
    """Return the text in at most so many cells, truncated with a mark."""
    return text if cell_len(text) <= most else fit(text, most)


def symbols_of(widget: Widget) -> SymbolSet:
    """Return the symbols of the widget's app."""
    symbols: SymbolSet = getattr(widget.app, "symbols", _FALLBACK)
    return symbols


class Painted(Widget):
    """A widget that paints its lines itself.

    Inks are read from the theme's variables: component classes would be matched against the whole
    style sheet in every widget.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._inks: dict[str, Style] = {}
        self._on: dict[tuple[str, str], Style] = {}

    @property
    def symbols(self) -> SymbolSet:
        """The app's symbols."""
        return symbols_of(self)

    def notify_style_update(self) -> None:
        """Repaint: the theme may have changed."""
        self._inks.clear()
        self._on.clear()
        super().notify_style_update()

    def ink(self, name: str) -> Style:
        """Return the ink's style; the prefix "bold " makes it bold."""
        style = self._inks.get(name)
        if style is None:
            style = self._inks[name] = self._mixed(name)
        return style

    def _mixed(self, name: str) -> Style:
        bold = name.startswith("bold ") or name in {"strong", "brand"}
        variable = INKS.get(name.removeprefix("bold "))
        colours = self.app.theme_variables
        colour = None if variable is None else Color.parse(colours[variable]).rich_color
        under = Color.parse(colours["agent-cursor"]).rich_color if name == "cursor" else None
        return Style(color=colour, bgcolor=under, bold=bold or None)

    def _brush(self, ink: str, under: str) -> Style:
        """Return the ink on the widget's own colours, or on those of another ink."""
        style = self._on.get((ink, under))
        if style is None:
            over = "faint" if (ink, under) == ("track", "cursor") else ink  # they are alike
            style = self.rich_style + self.ink(under) + self.ink(over)
            self._on[ink, under] = style
        return style

    def paint(self, pieces: Iterable[Piece], width: int, under: str = "") -> Strip:
        """Paint pieces side by side in exactly `width` cells, on the widget's own background.

        A piece that does not fit is truncated with a mark.
        """
        base = self._brush("", under)
        segments: list[Segment] = []
        left = width
        show = self.symbols.text
        for text, ink in pieces:
            shown = show(text)
            cells = cell_len(shown)
            if cells > left:
                shown, cells = fit(shown, left, self.symbols.rest), left
            if cells:
                brush = self._brush(ink, under) if ink else base
                if segments and segments[-1].style is brush:  # fewer segments, less to filter
                    segments[-1] = Segment(segments[-1].text + shown, brush)
                else:
                    segments.append(Segment(shown, brush))
                left -= cells
            if not left:
                break
        if left:
            segments.append(Segment(" " * left, base))
        return Strip(segments, width)

    def bar(self, fraction: float | None, width: int, ink: str, *, is_live: bool) -> list[Piece]:
        """Return a progress bar.

        A live task of unknown progress gets a broken line, not a figure.
        """
        symbols = self.symbols
        if fraction is None:
            return [(symbols.unknown * width, ink) if is_live else (symbols.empty * width, "track")]
        filled = min(width, round(fraction * width))
        return [(symbols.full * filled, ink), (symbols.empty * (width - filled), "track")]
