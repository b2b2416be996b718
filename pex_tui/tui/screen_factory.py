"""Make screens: each is imported when first shown, and bound to the app's values."""

from importlib import import_module

from textual.reactive import Reactive
from textual.screen import Screen

from pex_tui.tui.host import AppHost
from pex_tui.tui.modes import CLASSIC, Mode
from pex_tui.tui.screens.pex_screen import PexScreen

_SHARED = ("run_state", "session", "draft", "conflict_task")


def load_screen(mode: Mode) -> type[PexScreen]:
    """Return the class of a screen."""
    module = import_module(f"pex_tui.tui.screens.{mode.name}")
    kind: type[PexScreen] = getattr(module, mode.screen)
    return kind


def make_screen(mode: Mode, *, classic: bool = False) -> Screen[None]:
    """Return a new screen whose shared values are bound to the app's.

    With `classic`, the monitor is the specification's box.

    Must be called in the app's own context: Textual binds to the running node.
    """
    kind = load_screen(CLASSIC if classic and mode.name == "monitor" else mode)
    wanted = {
        attribute: getattr(AppHost, attribute)
        for attribute in _SHARED
        if isinstance(getattr(kind, attribute, None), Reactive)
    }
    return kind().data_bind(**wanted)
