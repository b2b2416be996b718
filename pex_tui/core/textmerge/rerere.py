"""Reuse of recorded conflict resolutions, as in git's rerere.

A conflict is identified by its path and the lines of its hunks, whichever side is which. As the
rest of the file may have changed, the recorded result is merged with the current file.
"""

import hashlib
from collections.abc import Sequence

from msgspec import Struct

from pex_tui.core.textmerge.auto_strategies import can_compare, encoded, runs_together
from pex_tui.core.textmerge.diff3 import Chunk, Lines, chunks, split_lines

_MARKERS = tuple(f"{sign * 7} a hunk in conflict\n" for sign in "<|=>")


class Remembered(Struct, frozen=True):
    """A file with conflict markers, its resolution, its author and its time (absolute seconds)."""

    path: str
    before: Lines
    after: Lines
    by: str
    at: float


def conflict_id(path: str, parts: Sequence[Chunk]) -> str:
    """Return an identifier that is equal for the same conflict."""
    hunks = [(part.base, *_sides(part)) for part in parts if part.is_conflict]
    text = repr((path, hunks)).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:32]


def remember(path: str, parts: Sequence[Chunk], text: bytes, by: str, at: float) -> Remembered:
    """Return the record of a resolved conflict."""
    after = split_lines(text.decode("utf-8", "surrogateescape"))
    return Remembered(path, _marked(parts), after, by, at)


def recall(known: Remembered, parts: Sequence[Chunk]) -> bytes | None:
    """Return the file resolved as before; None when it has changed too much."""
    now = _marked(parts)
    if not (can_compare(known.before, now) and can_compare(known.before, known.after)):
        return None
    merged = chunks(known.before, now, known.after)
    if any(part.is_conflict for part in merged):
        return None
    lines = [line for part in merged for line in part.merged[0]]
    return None if runs_together(lines) or set(lines) & {*_MARKERS} else encoded(lines)


def _marked(parts: Sequence[Chunk]) -> Lines:
    """Return the file with conflict markers, the same whichever side is which."""
    lines: list[str] = []
    for part in parts:
        if part.is_conflict:
            for marker, version in zip(_MARKERS, (*_sides(part), part.base, ()), strict=True):
                lines += [marker, *(line.removesuffix("\n") + "\n" for line in version)]
        else:
            lines += part.merged[0]
    return tuple(lines)


def _sides(part: Chunk) -> tuple[Lines, Lines]:
    first, second = sorted((part.ours, part.theirs))
    return first, second
