"""The base of our screens: typed access to the app, and feedback for every key."""

from typing import ClassVar

from textual import on
from textual.actions import parse
from textual.events import Key, ScreenResume
from textual.screen import Screen
from textual.widget import Widget

from pex_tui.tui.host import AppHost

_OPENED = 2
"""The resumes and suspensions before a screen is shown again; a mode's screen opens with two."""


class PexScreen(Screen[None]):
    """A screen of the app; a key without effect says why, because silence looks like a hang.

    `PLACE` is the screen's name in messages; keys of the widgets in `HEARD_WITH` are active
    together with its own.
    """

    PLACE: ClassVar[str]
    HEARD_WITH: ClassVar[tuple[type[Widget], ...]] = ()

    @property
    def pex(self) -> AppHost:
        """The app."""
        return self.app  # type: ignore[return-value]  # no other app shows our screens

    @on(ScreenResume)
    def _keep_styles(self, event: ScreenResume) -> None:
        """Keep, on opening, the styles that the widgets were given when they were mounted."""
        event.refresh_styles = self.stack_updates >= _OPENED

    def on_key(self, event: Key) -> None:
        """Handle a key that nothing has handled."""
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            _, action, parameters = parse(binding.action)
            reason = self.why_not(action, parameters)
            if reason:
                event.stop()
                self.pex.tell(f"{binding.description}: {reason}.")
                return

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable actions without effect, and hide those that this run never has."""
        if not self.why_not(action, parameters):
            return True
        return False if self.is_hidden(action) else None

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        """Return why an action has no effect now, or "" if it has one."""
        del action, parameters
        return ""

    def is_hidden(self, action: str) -> bool:
        """Return whether the footer leaves out an action without effect."""
        del action
        return False
