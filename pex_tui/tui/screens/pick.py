"""Choose one of several lines."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from pex_tui.core.sanitize import clean
from pex_tui.tui.screens.modal import Hint, Modal


class PickScreen(Modal[int | None]):
    """Answers with the position of the chosen line, None if cancelled."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Cancel", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(
        self, title: str, lines: Sequence[str], hint: str, *, head: str = "", chosen: int = 0
    ) -> None:
        super().__init__()
        self._title = clean(title)
        self._lines = [clean(line) for line in lines]
        self._hint = hint
        self._head = head
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """Compose the lines, with the cursor on one."""
        with Vertical(classes="question"):
            yield Static(self._title, classes="title", markup=False)
            if self._head:
                yield Static(self._head, classes="head", markup=False)
            yield OptionList(*(Content(line) for line in self._lines), compact=True)
            yield Hint(self._hint)

    def on_mount(self) -> None:
        """Begin at the current line."""
        self.query_one(OptionList).highlighted = self._chosen if self._lines else None

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with the line."""
        self.dismiss(event.option_index)

    def action_move(self, step: int) -> None:
        """Select another line."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if step > 0 else options.action_cursor_up)()
