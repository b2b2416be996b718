"""How a run is hosted."""

from msgspec import Struct


class RunOptions(Struct, frozen=True):
    """How a run is hosted.

    `attended` means that a person can decide things while it runs, `settles` that the host itself
    decides one conflict and leaves the others open. `slots` are for a run that is resumed; one that
    begins has them in its plan.
    """

    attended: bool = False
    background: bool = False
    wait: bool = False
    name: str | None = None
    include_uncommitted: bool = False
    land: bool = False
    settles: bool = False
    slots: int | None = None
