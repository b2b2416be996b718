"""How the app looks by the settings, and whether it can."""

from collections.abc import Mapping

from pex_tui.settings.load import Settings, config_home
from pex_tui.tui.terminal.first_screen import Look, check_look


def look_of(settings: Settings, environ: Mapping[str, str]) -> Look:
    """The look that the settings ask for."""
    monitoring = settings.monitoring
    return Look(
        symbols=monitoring.symbols,
        theme=monitoring.theme,
        themes=(config_home(environ) / "themes",),
        notify=monitoring.notify,
        keymap=settings.keymap,
        refresh_seconds=monitoring.refresh_interval,
        detail=monitoring.detail_level,
        has_figures=monitoring.show_performance,
    )


def check_appearance(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise UserError for settings with which the app would refuse to open."""
    check_look(look_of(settings, environ))
