"""Our themes, and our colours for every other theme."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from textual.app import App
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from pex_tui.core.sanitize import clean
from pex_tui.core.views.status import Status
from pex_tui.errors import UserError

_ROLES = {
    Status.RUNNING: "success",
    Status.STARTING: "secondary",
    Status.WAITING: "agent-dim",
    Status.PAUSED: "warning",
    Status.ASKING: "warning",
    Status.RETRYING: "warning",
    Status.STOPPING: "warning",
    Status.LANDING: "primary",
    Status.CONFLICT: "accent",
    Status.DONE: "success",
    Status.FAILED: "error",
    Status.BLOCKED: "agent-dim",
}
_SHADES = {  # share of the background in each
    "agent-dim": 0.4,
    "agent-faint": 0.7,
    "agent-track": 0.82,
    "agent-cursor": 0.8,
    "agent-border": 0.75,
}


def use_theme(app: App[Any], folders: Iterable[Path], name: str) -> None:
    """Register the folders' themes and use one; raises UserError for an unknown theme."""
    for theme in find_themes(folders, name):
        app.register_theme(theme)
    app.theme = name


def find_themes(folders: Iterable[Path], name: str, place: str = "") -> tuple[Theme, ...]:
    """Return the folders' themes; raises UserError if neither they nor Textual have this one.

    `place` is where the theme was chosen, and the beginning of that message.
    """
    found = tuple(theme for folder in folders for theme in load_themes(folder))
    known = {theme.name for theme in found} | set(BUILTIN_THEMES)
    if name not in known:
        listed = ", ".join(sorted(known))
        raise UserError(f'{place}there is no theme "{clean(name)}". Known are: {listed}.')
    return found


def load_themes(folder: Path) -> tuple[Theme, ...]:
    """Return the themes of a folder's `*.toml` files; raises UserError for an invalid one."""
    return tuple(_load(path) for path in sorted(folder.glob("*.toml")))


def _load(path: Path) -> Theme:
    try:
        fields: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Theme(**fields)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
        raise UserError(f"{path}: this is not a theme: {error}. Fix or remove it.") from error


def variable_defaults(theme: Theme) -> dict[str, str]:
    """Return our variables for a theme without them: `$agent-<status>` and five shades."""
    colours = theme.to_color_system().generate()
    known = {**colours, **_shades(theme, colours), **theme.variables}
    return {name: known[name] for name in _SHADES} | {
        f"agent-{status}": known[role] for status, role in _ROLES.items()
    }


def _shades(theme: Theme, colours: dict[str, str]) -> dict[str, str]:
    """Return the text colour faded into the background; ANSI colours cannot be mixed."""
    if theme.ansi:
        return dict.fromkeys(_SHADES, "ansi_bright_black")
    page, text = Color.parse(colours["background"]), Color.parse(colours["foreground"])
    return {name: text.blend(page, share).hex for name, share in _SHADES.items()}
