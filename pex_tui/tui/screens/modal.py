"""The base of dialogs: clickable key hints, and ways to close.

A click beside the box acts like escape, and a question about something that is gone closes by
itself.
"""

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.style import Style
from textual.widgets import Static

from pex_tui.core.sanitize import clean
from pex_tui.tui.widgets.painting import symbols_of

_BETWEEN = " · "
_KEYS = {
    "⏎": "enter",
    "→": "right",
    "esc": "escape",
    "tab": "tab",
    "ctrl+s": "ctrl+s",
}


class Modal(ModalScreen[ScreenResultType]):
    """A dialog over the screen.

    `about` returns the text of a question about the run. It changes with the run, and is empty once
    there is nothing left to ask: the dialog then closes without an answer, and `gone` gives the
    reason.
    """

    def __init__(self, about: Callable[[], str] | None = None, gone: str = "") -> None:
        super().__init__()
        self._about = about
        self._gone = clean(gone)

    def on_mount(self) -> None:
        """Follow the subject of the question."""
        if self._about is not None:
            self.watch(self.app, "run_state", self._look_again)

    def on_screen_resume(self) -> None:
        """Update: the run may have changed while another dialog was open."""
        self._look_again()

    def _look_again(self) -> None:
        if self._about is not None and self.is_current:
            self.ask_about(clean(self._about()))

    def ask_about(self, text: str) -> None:
        """Update the question; close without an answer if its subject is gone."""
        if not text:
            if self._gone:
                self.app.notify(symbols_of(self).text(self._gone), markup=False)
            self.dismiss()

    def on_click(self, event: events.Click) -> None:
        """Close on a click beside the box."""
        if event.widget is self:
            # Its own bubbling event would stop here.
            self.app.call_later(self.app.simulate_key, "escape")


class Hint(Static):
    """A hint about keys, such as `⏎ opens · esc cancels`; a click on a part presses its key."""

    def __init__(self, text: str) -> None:
        super().__init__(classes="hint", markup=False)
        self._text = text

    def on_mount(self) -> None:
        """Use the app's symbols."""
        parts = [self._part(part) for part in self._text.split(_BETWEEN)]
        self.update(Content(symbols_of(self).text(_BETWEEN)).join(parts))

    def _part(self, part: str) -> Content:
        shown = symbols_of(self).text(part)
        key = _KEYS.get(part.partition(" ")[0])
        if key is None:
            return Content(shown)
        return Content.styled(shown, Style.from_meta({"@click": f"app.simulate_key('{key}')"}))
