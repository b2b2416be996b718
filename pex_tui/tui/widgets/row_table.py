"""A table of rows whose columns are as wide as what they hold, and which leaves ⏎ to its screen."""

from collections.abc import Sequence

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable


def moving_keys(*left_out: str) -> list[BindingType]:
    """All that a table binds, but for ⏎ and the keys that are left out.

    A priority binding of the screen would leave ⏎ alone as well, and be carried out before the keys
    that were pressed ahead of it: a fast j⏎ would open the wrong row.
    """
    return [
        binding
        for binding in DataTable.BINDINGS
        if not (isinstance(binding, Binding) and binding.key in {"enter", *left_out})
    ]


class RowTable(DataTable[Text], inherit_bindings=False):
    """Shows rows under a cursor."""

    BINDINGS = moving_keys()

    def __init__(self) -> None:
        super().__init__(cursor_type="row")

    def fill(self, names: Sequence[str], rows: Sequence[Sequence[Text]], cursor: int) -> None:
        """Show these rows under these names, with the cursor on one of them.

        The widths are given, as a table that finds them out itself keeps rows that it painted
        before it knew them.
        """
        self.clear(columns=True)
        for at, name in enumerate(names):
            cells = (row[at].cell_len for row in rows)
            self.add_column(name, width=max(Text(name).cell_len, *cells, 1))
        for row in rows:
            self.add_row(*row)
        self.move_cursor(row=max(0, min(cursor, len(rows) - 1)))
