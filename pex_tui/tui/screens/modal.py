"""What questions over a screen share: hints whose keys can be clicked, and ways out.

A click beside the box does what escape does, and a question about what is gone closes by itself.
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
    """A box over the screen.

    `about` is the text of a question about the run: it changes with the run, and is empty once
    there is nothing left to ask about. Then the question has no answer, and `gone` says why.
    """

    def __init__(self, about: Callable[[], str] | None = None, gone: str = "") -> None:
        super().__init__()
        self._about = about
        self._gone = clean(gone)

    def on_mount(self) -> None:
        """Follow what the question is about."""
        if self._about is not None:
            self.watch(self.app, "run_state", self._look_again)

    def on_screen_resume(self) -> None:
        """The run may have changed under what was over the question."""
        self._look_again()

    def _look_again(self) -> None:
        if self._about is not None and self.is_current:
            self.ask_about(clean(self._about()))

    def ask_about(self, text: str) -> None:
        """Show what there is to ask about by now; close without an answer where there is none."""
        if not text:
            if self._gone:
                self.app.notify(symbols_of(self).text(self._gone), markup=False)
            self.dismiss()

    def on_click(self, event: events.Click) -> None:
        """Out, if that was beside the box."""
        if event.widget is self:
            self.app.call_later(self.app.simulate_key, "escape")  # as its own, it would stop here


class Hint(Static):
    """What keys do here, such as `⏎ opens · esc cancels`; a click on one presses it."""

    def __init__(self, text: str) -> None:
        super().__init__(classes="hint", markup=False)
        self._text = text

    def on_mount(self) -> None:
        """The symbols are those of the app."""
        parts = [self._part(part) for part in self._text.split(_BETWEEN)]
        self.update(Content(symbols_of(self).text(_BETWEEN)).join(parts))

    def _part(self, part: str) -> Content:
        shown = symbols_of(self).text(part)
        key = _KEYS.get(part.partition(" ")[0])
        if key is None:
            return Content(shown)
        return Content.styled(shown, Style.from_meta({"@click": f"app.simulate_key('{key}')"}))
