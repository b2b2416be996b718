"""The app's appearance and alerts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from pex_tui.tui.widgets.columns import Detail


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
