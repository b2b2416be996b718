"""What is declared of a setting besides its type, range and default."""

from enum import StrEnum

from pex_tui.planning.fields.declaration import Declared, Key


class Trust(StrEnum):
    """Why a setting that a repository makes needs the user's trust."""

    POWER = "power"  # it names programs, widens what agents may do or see, or what lands unasked
    COST = "cost"  # more of it costs more; none is no limit


class Setting(Key, frozen=True, kw_only=True):
    """A key of the settings.

    `inert` is why it has no effect in this version, `example` a value that shows how to write it.
    """

    example: str = ""
    trust: Trust | None = None
    inert: str = ""


def setting_of(declared: Declared) -> Setting:
    """Return what is declared of the setting; nothing of a section."""
    return declared.key if isinstance(declared.key, Setting) else Setting()
