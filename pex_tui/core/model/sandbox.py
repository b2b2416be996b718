"""The confinement of a process: its tier, and what it may do with which paths.

Shims load this module without any package besides the standard library.
"""

from enum import StrEnum
from typing import NamedTuple


class Tier(StrEnum):
    """A mechanism of the machine that confines processes."""

    BWRAP = "bwrap"
    LANDLOCK = "landlock"


NO_SANDBOX = "none"


def sandbox_words(tier: str) -> str:
    """Return what confines tasks, in words for a person; `tier` may be "none"."""
    match tier:
        case Tier.BWRAP:
            return "in a sandbox of bubblewrap"
        case Tier.LANDLOCK:
            return "in a sandbox of Landlock, which holds less than bubblewrap"
        case _:
            return "in no sandbox, with all rights of your user"


class Access(StrEnum):
    """Access to a path and all below it; `private` is the process's own temporary folder instead.

    Without mounts (Landlock) a private path is hidden, and only TMPDIR names the temporary folder.
    """

    HIDDEN = "hidden"
    READ = "read"
    WRITE = "write"
    PRIVATE = "private"


class Sandbox(NamedTuple):
    """The confinement of one process tree.

    For each path the most specific of `rules` decides; they are absolute, exist, have no links, and
    parents come before what is below them. The folder `temporary` is made before the start and
    removed after the end. `program` is bubblewrap's path.
    """

    tier: Tier
    rules: tuple[tuple[str, Access], ...]
    temporary: str
    program: str = ""

    @classmethod
    def from_fields(cls, fields: dict[str, object]) -> "Sandbox":
        """Return the sandbox from the JSON object of its fields."""
        rules = fields["rules"]
        if not isinstance(rules, list):
            raise TypeError("rules are a list")
        return cls(
            Tier(str(fields["tier"])),
            tuple((str(path), Access(access)) for path, access in rules),
            str(fields["temporary"]),
            str(fields["program"]),
        )
