"""The base of our screens: typed access to the app, and feedback for every key."""

from typing import ClassVar

from textual.actions import parse
from textual.binding import Binding
from textual.events import Key
from textual.screen import Screen
from textual.widget import Widget

from pex_tui.tui.host import AppHost


class PexScreen(Screen[None]):
    """A screen of the app; a key that has no effect now says so, because silence looks like a hang.

    `PLACE` is the screen's name in messages; keys of the widgets in `HEARD_WITH` are active
    together with its own.
    """

    PLACE: ClassVar[str]
    HEARD_WITH: ClassVar[tuple[type[Widget], ...]] = ()

    @property
    def pex(self) -> AppHost:
        """The app."""
        return self.app  # type: ignore[return-value]  # no other app shows our screens

    def on_key(self, event: Key) -> None:
        """Handle a key that nothing has handled."""
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if not self._may(binding):
                event.stop()
                self.pex.tell(f"{binding.description}: not possible now.")
                return

    def _may(self, binding: Binding) -> bool:
        _, action, parameters = parse(binding.action)
        return bool(self.check_action(action, parameters))
