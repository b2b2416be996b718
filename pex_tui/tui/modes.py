"""The screens by name: loaded when first shown, bound to what they have in common."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.app import App
from textual.reactive import Reactive
from textual.screen import Screen

if TYPE_CHECKING:
    from pex_tui.tui.screens.pex_screen import PexScreen


class Mode(NamedTuple):
    """A screen: its module in `screens`, its class, and what opens it under which title."""

    name: str
    screen: str
    key: str = ""
    title: str = ""

    @property
    def key_id(self) -> str:
        """The name by which a keymap moves the key."""
        return f"app.{self.title.lower()}"

    def load(self) -> "type[PexScreen]":
        """Return the class."""
        module = import_module(f"pex_tui.tui.screens.{self.name}")
        kind: type[PexScreen] = getattr(module, self.screen)
        return kind


MODES = (
    Mode("home", "HomeScreen", "f1", "Home"),
    Mode("plan", "PlanScreen", "f2", "Plan"),
    Mode("monitor", "MonitorScreen", "f3", "Monitor"),
    Mode("conflict", "ConflictScreen", "f4", "Conflicts"),
    Mode("history", "HistoryScreen", "f5", "History"),
    Mode("inbox", "InboxScreen", "f6", "Inbox"),
)
CLASSIC = Mode("classic", "ClassicScreen")
"""The specification's box, in place of the monitor."""
SHARED = ("run_state", "session", "draft", "conflict_task")


def make_screen(mode: Mode, app: type[App[Any]], *, classic: bool = False) -> Screen[None]:
    """Return a new screen; those of the shared attributes that it has are bound to the app's.

    With `classic`, the monitor is the specification's box.

    Has to be called in the app's own context: Textual binds to the node that is running.
    """
    kind = (CLASSIC if classic and mode.name == "monitor" else mode).load()
    wanted = {
        attribute: getattr(app, attribute)
        for attribute in SHARED
        if isinstance(getattr(kind, attribute, None), Reactive)
    }
    return kind().data_bind(**wanted)
