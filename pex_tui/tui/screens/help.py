"""Help: the current keys of the screen below, in three columns, and the symbols."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from pex_tui.core.views.status import Status
from pex_tui.tui.modes import MODES
from pex_tui.tui.screens.modal import Hint, Modal
from pex_tui.tui.symbols import SymbolSet
from pex_tui.tui.widgets.painting import INKS, fit, symbols_of

_KEY, _WORDS = 7, 16
_COLUMN = _KEY + 1 + _WORDS
_COLUMNS = dict.fromkeys(("list", "agents", "detail", "panel"), "move") | dict.fromkeys(
    ("run", "app"), "everywhere"
)
_ALWAYS = (("j k", "down, up"), ("g G", "top, bottom"))
_SERIES = {  # consecutive keys that share one line
    MODES[0].key_id: (MODES[-1].key_id, "screens"),
    "detail.log": ("detail.info", "tabs"),
}
_TOLD_WITH_OTHERS = frozenset(
    {mode.key_id for mode in MODES[1:]}
    | {"app.quit", "app.interrupt", "detail.diff", "detail.prompt", "detail.info"}
)
Row = tuple[str, str]


class HelpScreen(Modal[None]):
    """Shows the keys of a screen; the keys that opened it close it."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,f1", "dismiss", "Close", show=False)
    ]

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self._below = type(below).__name__.removesuffix("Screen")
        self._known = _by_id(below.active_bindings.values())

    def compose(self) -> ComposeResult:
        """Compose three columns and the symbols."""
        symbols = symbols_of(self)
        columns = (
            [("", "Move and show"), *_ALWAYS, *self._rows("move")],
            [("", self._below), *self._rows("here")],
            [("", "Run and app"), *self._rows("everywhere")],
        )
        lines = [
            Content("").join(_cell(row, symbols) for row in line)
            for line in zip_longest(*columns, fillvalue=("", ""))
        ]
        text = Content("\n").join([*lines, Content(""), *_legend(symbols)])
        with Vertical(classes="question help"):
            yield Static("Keys", classes="title", markup=False)
            with VerticalScroll(classes="text"):
                yield Static(text)
            yield Hint("esc closes · : finds any command")

    def _rows(self, column: str) -> Iterator[Row]:
        """Yield the keys of a column; a series of keys is one row."""
        for name, binding in self._known.items():
            if _COLUMNS.get(name.partition(".")[0], "here") != column or name in _TOLD_WITH_OTHERS:
                continue
            last, words = _SERIES.get(name, ("", ""))
            if last in self._known:
                yield f"{self._key(binding)}–{self._key(self._known[last])}", words
            else:
                yield self._key(binding), binding.description

    def _key(self, binding: Binding) -> str:
        return self.app.get_key_display(binding)


def _by_id(active: Iterable[ActiveBinding]) -> dict[str, Binding]:
    """Return the named bindings, each with its first key."""
    found: dict[str, Binding] = {}
    for one in active:
        if one.binding.id and one.binding.description:
            found.setdefault(one.binding.id, one.binding)
    return found


def _cell(row: Row, symbols: SymbolSet) -> Content:
    key, words = (symbols.text(part) for part in row)
    if not words:
        return Content(" " * _COLUMN)
    if not key:
        return Content.styled(fit(f"  {words}", _COLUMN), "bold")
    shown = fit(key, _KEY, symbols.rest) if cell_len(key) > _KEY else key.rjust(_KEY)
    return Content.assemble((shown, "bold $primary"), f" {fit(words, _WORDS, symbols.rest)}")


def _legend(symbols: SymbolSet) -> list[Content]:
    """Return the meaning of the symbols, as many per line as fit."""
    lines = [Content("")]
    for status in Status:
        told = Content.assemble((symbols.by_status[status], f"${INKS[status]}"), f" {status}")
        if lines[-1].cell_length + told.cell_length + 2 > 3 * _COLUMN:
            lines.append(Content(""))
        lines[-1] = Content("  ").join([lines[-1], told]) if lines[-1].plain else told
    return lines
