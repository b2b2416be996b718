"""A table whose columns share the available width, and which leaves ⏎ to its screen."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from pex_tui.tui.widgets.painting import symbols_of

_LEAST = 8  # minimum width of a column that yields


def moving_keys(*left_out: str) -> list[BindingType]:
    """Return all bindings of a table except ⏎ and the omitted keys.

    A priority binding of the screen would also take ⏎, but run before earlier keys: a fast j⏎ would
    open the wrong row.
    """
    return [
        binding
        for binding in DataTable.BINDINGS
        if not (isinstance(binding, Binding) and binding.key in {"enter", *left_out})
    ]


class RowTable(DataTable[Text], inherit_bindings=False):
    """Shows rows with a cursor."""

    BINDINGS = moving_keys()
    YIELDING: ClassVar[frozenset[str]] = frozenset()
    """The columns to truncate, widest first, if not all of them fit."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row")
        self._shown: tuple[Sequence[str], Sequence[Sequence[Text]]] = ((), ())
        self._room = 0

    def fill(self, names: Sequence[str], rows: Sequence[Sequence[Text]], cursor: int) -> None:
        """Show these rows under these headings, with the cursor on one of them.

        The widths are explicit, because a table that measures them itself keeps rows painted
        before.
        """
        self._shown = (names, rows)
        self._room = self.size.width
        self.clear(columns=True)
        widths = self._widths()
        for name, width in zip(names, widths, strict=True):
            self.add_column(Text(name), width=width)  # as markup it would load all emoji
        rest = symbols_of(self).rest
        for row in rows:
            self.add_row(*(_cut(*cell, rest) for cell in zip(row, widths, strict=True)))
        self.move_cursor(row=max(0, min(cursor, len(rows) - 1)))

    def on_resize(self, event: events.Resize) -> None:
        """Distribute the new width."""
        if event.size.width != self._room:
            self.fill(*self._shown, self.cursor_row)

    def _widths(self) -> list[int]:
        names, rows = self._shown
        widths = [
            max(Text(name).cell_len, *(row[at].cell_len for row in rows), 1)
            for at, name in enumerate(names)
        ]
        bar = 1 if len(rows) >= self.size.height else 0
        room = self.size.width - bar - 2 * self.cell_padding * len(names)
        yielding = [at for at, name in enumerate(names) if name in self.YIELDING]
        while sum(widths) > room and any(widths[at] > _LEAST for at in yielding):
            widest = max(yielding, key=lambda at: widths[at])
            widths[widest] -= 1
        return widths


def _cut(text: Text, width: int, rest: str) -> Text:
    if text.cell_len <= width:
        return text
    cut = text.copy()
    cut.truncate(width - 1)
    return cut.append(rest)
