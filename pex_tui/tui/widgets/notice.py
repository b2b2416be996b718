"""One line that asks for attention: an open conflict, an engine that stopped."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.strip import Strip

from pex_tui.core.marks import Mark
from pex_tui.core.state import RunState
from pex_tui.core.text import clean
from pex_tui.tui.messages import ConflictWanted
from pex_tui.tui.widgets.painting import Painted, fit

_LONGEST_PATH = 60


class Notice(Painted, can_focus=True):
    """Hidden while there is nothing to say; ⏎ or a click opens the conflict."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Settle", key_display="⏎")]

    words: reactive[tuple[str, str]] = reactive(("", ""))

    def update(self, state: RunState | None, engine_error: str) -> None:
        """Say what matters most."""
        if engine_error:
            self.words = (engine_error, "failed")
        else:
            self.words = (_conflict_words(state), "conflict")

    def watch_words(self) -> None:
        """Show only what is said."""
        self.set_class(not self.words[0], "-hidden")

    def render_line(self, y: int) -> Strip:
        """The line."""
        del y
        text, ink = self.words
        width = self.size.width
        symbol = self.symbols.bare(Mark.CONFLICT if ink == "conflict" else Mark.FAILED)
        shown = fit(f" {symbol} {text}", width, self.symbols.rest)
        return self.paint([(shown, f"bold {ink}")], width, "cursor" if self.has_focus else "")

    def action_open(self) -> None:
        """Settle the oldest open conflict."""
        self.post_message(ConflictWanted())

    def on_click(self) -> None:
        """The same with the mouse."""
        self.action_open()


def _conflict_words(state: RunState | None) -> str:
    conflicts = () if state is None else state.open_conflicts
    if not conflicts:
        return ""
    first = conflicts[0]
    task, *others = first.tasks
    with_whom = f" with {', '.join(others)}" if others else ""
    where = f" in {clean(first.files[0].path, _LONGEST_PATH)}" if first.files else ""
    more = f", and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
    return f"{task} is in conflict{with_whom}{where}{more}: c settles it"
