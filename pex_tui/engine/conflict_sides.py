"""A path in conflict with the contents of its sides."""

from msgspec import Struct

from pex_tui.core.textmerge.leftover_markers import USUAL_SIZE, markers_left


class ConflictSides(Struct, frozen=True):
    """A path in conflict, for a person: contents of each side, None where a side has no file.

    `merged` is git's text with conflict markers, None for binary files. `proposal` is an earlier
    resolution of the same conflict, and `proposed` says whose it is and from when; None without
    one. A conflict marker has `marker_size` signs in this file.
    """

    path: str
    kind: str
    base: bytes | None
    ours: bytes | None
    theirs: bytes | None
    merged: bytes | None
    proposal: bytes | None = None
    proposed: str = ""
    marker_size: int = USUAL_SIZE

    def markers_left(self, text: bytes) -> tuple[int, ...]:
        """Return the lines of a result, from 1, that are conflict markers and that no side has."""
        versions = [side for side in (self.base, self.ours, self.theirs) if side is not None]
        return markers_left(text, versions, size=self.marker_size, resolves=True)
