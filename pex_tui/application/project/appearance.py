"""The app's appearance from the settings, and its validation."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pex_tui.settings.load import Settings, config_home

if TYPE_CHECKING:
    from pex_tui.tui.look import Look


def look_of(settings: Settings, environ: Mapping[str, str]) -> "Look":
    """Return the appearance that the settings select."""
    from pex_tui.tui.look import Look  # noqa: PLC0415  # it needs Textual

    monitoring = settings.monitoring
    return Look(
        symbols=monitoring.symbols,
        theme=monitoring.theme,
        themes=(_themes(environ),),
        notify=monitoring.notify,
        keymap=settings.keymap,
        refresh_seconds=monitoring.refresh_interval,
        detail=monitoring.detail_level,
        has_figures=monitoring.show_performance,
        places=settings.given,
    )


def check_appearance(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise UserError for settings with which the app would refuse to open.

    The shipped appearance is known to be valid, and loading the check would take longer than all
    else that a command does.
    """
    is_shipped = settings.monitoring.theme == type(settings.monitoring)().theme
    if is_shipped and not settings.keymap and not _themes(environ).exists():
        return
    from pex_tui.tui.opening import check_look  # noqa: PLC0415  # it needs Textual

    check_look(look_of(settings, environ))


def _themes(environ: Mapping[str, str]) -> Path:
    """Return the folder of the user's own themes."""
    return config_home(environ) / "themes"
