"""One path in conflict with what lies on its sides, as a person decides it."""

from msgspec import Struct

from pex_tui.core.textmerge.leftover_markers import USUAL_SIZE, markers_left


class ConflictSides(Struct, frozen=True):
    """One path in conflict, for a person: contents of each side, None where the side has no file.

    `merged` is git's text with conflict markers, None for binary files. `proposal` is what somebody
    made of the same conflict before, and `proposed` says who did when; None when nobody has. A
    conflict marker has `marker_size` signs in this file.
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
        return markers_left(text, versions, size=self.marker_size, settles=True)
