"""Options for hosting a run."""

from msgspec import Struct


class RunOptions(Struct, frozen=True):
    """Options for hosting a run.

    `attended` means that a person can decide things during the run; `resolves` that the host itself
    resolves one conflict and leaves the others open. `slots` apply to a resumed run; a new run has
    them in its plan. A resumed run that `continues` starts again what was aborted with the whole
    run; one that `aborts` is taken over only to be stopped.
    """

    attended: bool = False
    background: bool = False
    wait: bool = False
    name: str | None = None
    include_uncommitted: bool = False
    land: bool = False
    resolves: bool = False
    slots: int | None = None
    continues: bool = True
    aborts: bool = False
