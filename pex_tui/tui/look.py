"""The app's appearance and alerts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from pex_tui.core.sanitize import clean
from pex_tui.tui.widgets.columns import Detail

Places = Mapping[tuple[str, ...], str]
"""The file and line of each setting that the user made, by its path."""


def place_of(places: Places, *path: str) -> str:
    """Return the beginning of a message about a setting: where it was made, if known."""
    return f"{clean(places[path])}: " if path in places else ""


class Look(Struct, frozen=True):
    """Appearance and alerts as configured; `themes` are folders besides the shipped one."""

    symbols: str = "emoji"
    theme: str = "ember"
    themes: tuple[Path, ...] = ()
    notify: str = "off"
    keymap: Mapping[str, str] = field(default_factory=dict)
    refresh_seconds: float = 2.0
    detail: Detail = "high"
    has_figures: bool = True
    places: Places = field(default_factory=dict)
