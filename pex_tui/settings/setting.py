"""Declaration of a setting, besides its type, range and default."""

from enum import StrEnum

from pex_tui.planning.fields.declaration import Declared, Key


class Trust(StrEnum):
    """The reason why a repository's setting needs the user's trust."""

    POWER = "power"  # names programs, or widens what agents may do or see, or what lands unattended
    COST = "cost"  # a higher value costs more; none is unlimited


class Setting(Key, frozen=True, kw_only=True):
    """A key of the settings.

    `inert` is the reason why it has no effect in this version, `example` a sample value.
    """

    example: str = ""
    trust: Trust | None = None
    inert: str = ""


def setting_of(declared: Declared) -> Setting:
    """Return the declaration of a setting; an empty one for a section."""
    return declared.key if isinstance(declared.key, Setting) else Setting()
