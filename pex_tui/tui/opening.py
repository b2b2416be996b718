"""The first picture: something stands there while settings and repository are still being read."""

from __future__ import annotations

import asyncio
import locale
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

from msgspec import Struct, field
from textual.screen import Screen
from textual.widgets import Static

from pex_tui.engine.session import PlanDraft, Planning, ProjectService, RunSession
from pex_tui.resources import shipped
from pex_tui.tui.keymap import check_keymap
from pex_tui.tui.symbols import choose
from pex_tui.tui.theming import find_themes, use_theme
from pex_tui.tui.widgets.columns import Detail

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from pex_tui.tui.app import PexApp
    from pex_tui.tui.screens.planning import PlanningScreen

Made = TypeVar("Made")

Start = Literal["home"] | PlanDraft | RunSession


class Look(Struct, frozen=True):
    """How the app looks and calls, as configured; `themes` are folders besides the shipped one."""

    symbols: str = "emoji"
    theme: str = "ember"
    themes: tuple[Path, ...] = ()
    notify: str = "off"
    keymap: Mapping[str, str] = field(default_factory=dict)
    refresh_seconds: float = 2.0
    detail: Detail = "high"
    has_figures: bool = True


class Opened(Struct, frozen=True):
    """A repository that was read, how the app is to look, and what it shows first."""

    service: ProjectService
    look: Look = Look()
    start: Start = "home"


Opening = Callable[[Planning], Awaitable[Opened]]


async def attended(app: PexApp, make: Callable[[Planning], Awaitable[Made]]) -> Made:
    """What `make` answers; while an agent with a model plans for it, a box says so."""
    skip = asyncio.Event()
    box: PlanningScreen | None = None

    def tell(line: str) -> None:
        nonlocal box
        if box is None:
            from pex_tui.tui.screens.planning import PlanningScreen  # noqa: PLC0415  # seldom used

            box = PlanningScreen(skip.set, app.now)
            app.push_screen(box)
        box.tell(line)

    try:
        return await make(Planning(tell, skip))
    finally:
        if box is not None and box in app.screen_stack:
            await box.dismiss()


async def painted(app: PexApp) -> None:
    """Return once the app's screen has been painted."""
    done = asyncio.Event()
    app.call_after_refresh(done.set)
    await done.wait()


class OpeningScreen(Screen[None]):
    """Says that the repository is being read."""

    def compose(self) -> ComposeResult:
        """One line where the other screens have their head."""
        yield Static("[b $primary]pex[/]  reading the repository…", classes="opening")


def dress(app: PexApp, look: Look) -> None:
    """Have the app look like that; raise UserError as `check_look` does."""
    check_look(look)
    symbols = choose(look.symbols, locale.getencoding())
    app.look = look
    app.symbols = symbols.without_colour() if app.no_color else symbols
    app.set_class(app.symbols.name == "ascii", "-ascii")
    app.set_keymap(dict(look.keymap))
    use_theme(app, (shipped("themes"), *look.themes), look.theme)


def check_look(look: Look) -> None:
    """Raise UserError for a theme or a key that doesn't exist, or a key that two actions have."""
    check_keymap(look.keymap)
    find_themes((shipped("themes"), *look.themes), look.theme)
