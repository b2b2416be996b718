"""The screens by name: loaded when first shown, bound to what they have in common."""

from importlib import import_module
from typing import Any

from textual.app import App
from textual.reactive import Reactive
from textual.screen import Screen

_CLASSES = {
    "home": "HomeScreen",
    "plan": "PlanScreen",
    "monitor": "MonitorScreen",
    "conflict": "ConflictScreen",
    "history": "HistoryScreen",
    "inbox": "InboxScreen",
    "classic": "ClassicScreen",
}
NAMES = ("home", "plan", "monitor", "conflict", "history", "inbox")
SHARED = ("run_state", "session", "draft", "conflict_task")


def make_screen(name: str, app: type[App[Any]], *, classic: bool = False) -> Screen[None]:
    """A new screen; those of the shared attributes that it has are bound to the app's.

    With `classic`, the monitor is the specification's box.

    Has to be called in the app's own context: Textual binds to the node that is running.
    """
    if classic and name == "monitor":
        name = "classic"
    kind: type[Screen[None]] = getattr(import_module(f"pex_tui.tui.screens.{name}"), _CLASSES[name])
    wanted = {
        attribute: getattr(app, attribute)
        for attribute in SHARED
        if isinstance(getattr(kind, attribute, None), Reactive)
    }
    return kind().data_bind(**wanted)
