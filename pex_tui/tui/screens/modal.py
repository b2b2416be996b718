"""What questions over a screen share: hints whose keys can be clicked, and a way out by mouse."""

from textual import events
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.style import Style
from textual.widgets import Static

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
    """A box over the screen; a click beside it does what escape does."""

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
