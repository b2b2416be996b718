"""The keys of a table that leave ⏎ to its screen.

A priority binding of the screen would do that as well, and be carried out before the keys that were
pressed ahead of it: a fast j⏎ would open the wrong row.
"""

from textual.binding import Binding, BindingType
from textual.widgets import DataTable


def moving_keys(*left_out: str) -> list[BindingType]:
    """All that a table binds, but for ⏎ and the keys that are left out."""
    return [
        binding
        for binding in DataTable.BINDINGS
        if not (isinstance(binding, Binding) and binding.key in {"enter", *left_out})
    ]
