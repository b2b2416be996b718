"""The first screen: shown while settings and repository are still being read."""

from __future__ import annotations

import asyncio
import locale
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from textual.screen import Screen
from textual.widgets import Static

from pex_tui.engine.session import PlanDraft, Planning, ProjectService, RunSession
from pex_tui.resources import shipped
from pex_tui.tui.keymap import check_keymap
from pex_tui.tui.look import Look, place_of
from pex_tui.tui.symbols import choose
from pex_tui.tui.theming import find_themes, use_theme

if TYPE_CHECKING:
    from textual.app import App, ComposeResult

    from pex_tui.tui.host import AppHost

Start = Literal["home"] | PlanDraft | RunSession


class Opened(Struct, frozen=True):
    """A repository that was read, the app's appearance, and the first screen."""

    service: ProjectService
    look: Look = Look()
    start: Start = "home"


Opening = Callable[[Planning], Awaitable[Opened]]


async def painted(app: App[Any]) -> None:
    """Return once the app's screen has been painted."""
    done = asyncio.Event()
    app.call_after_refresh(done.set)
    await done.wait()


class OpeningScreen(Screen[None]):
    """Says that the repository is being read."""

    def compose(self) -> ComposeResult:
        """Compose one line in the place of other screens' head."""
        yield Static("[b $primary]pex[/]  reading the repository…", classes="opening")


def dress(app: AppHost, look: Look) -> None:
    """Apply the appearance; raise UserError like `check_look`."""
    check_look(look)
    symbols = choose(look.symbols, locale.getencoding())
    app.look = look
    app.symbols = symbols.without_colour() if app.no_color else symbols
    app.set_class(app.symbols.name == "ascii", "-ascii")
    app.set_keymap(dict(look.keymap))
    use_theme(app, (shipped("themes"), *look.themes), look.theme)


def check_look(look: Look) -> None:
    """Raise UserError for an unknown theme or key, or a key with two actions."""
    check_keymap(look.keymap, look.places)
    place = place_of(look.places, "monitoring", "theme")
    find_themes((shipped("themes"), *look.themes), look.theme, place)
