"""Leftovers of finished runs: what can be removed, and what stays and why."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.model.ids import RunId

NOT_LANDED = "this work has not landed"
"""The reason why things of a run stay that hold work which none of the user's branches has."""


class LeftoverKind(StrEnum):
    """The kind of a removable thing."""

    WORKTREE = "worktree"
    REF = "ref"
    BRANCH = "branch"
    FOLDER = "folder"


class Removal(Struct, frozen=True):
    """One thing that is, or could be, removed.

    `name` is a path or a full ref; `run` is None for things that belong to no run. `kept_because`
    says why it stays, and is empty for a removal.
    """

    kind: LeftoverKind
    name: str
    run: RunId | None = None
    size_bytes: int = 0
    kept_because: str = ""


class CleanPlan(Struct, frozen=True):
    """The removals of a clean, and what it keeps, with the reasons."""

    removals: tuple[Removal, ...] = ()
    kept: tuple[Removal, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Return the disk space that it frees, in bytes, without objects that git drops later."""
        return sum(removal.size_bytes for removal in self.removals)

    @property
    def kept_runs(self) -> frozenset[RunId | None]:
        """Return the runs of which something stays."""
        return frozenset(removal.run for removal in self.kept)

    def within(self, other: "CleanPlan") -> "CleanPlan":
        """Return the plan without removals that the other plan lacks."""
        known = {(removal.kind, removal.name) for removal in other.removals}
        removals = tuple(one for one in self.removals if (one.kind, one.name) in known)
        return CleanPlan(removals, self.kept)
