"""Knows a conflict again, and settles it as it was settled before.

A conflict is known by its path and by the lines of its hunks, whichever side is whose. The file may
have changed elsewhere since: what was made of it then is merged with what it is now, as git's
rerere does.
"""

import hashlib
from collections.abc import Sequence

from msgspec import Struct

from pex_tui.core.textmerge.auto_strategies import can_compare, encoded, runs_together
from pex_tui.core.textmerge.diff3 import Chunk, Lines, chunks, split_lines

_MARKERS = tuple(f"{sign * 7} a hunk in conflict\n" for sign in "<|=>")


class Remembered(Struct, frozen=True):
    """A file with its conflicts marked, what somebody made of it, and when (absolute seconds)."""

    path: str
    before: Lines
    after: Lines
    by: str
    at: float


def conflict_id(path: str, parts: Sequence[Chunk]) -> str:
    """What the same conflict has in common whenever it is met."""
    hunks = [(part.base, *_sides(part)) for part in parts if part.is_conflict]
    text = repr((path, hunks)).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:32]


def remember(path: str, parts: Sequence[Chunk], text: bytes, by: str, at: float) -> Remembered:
    """What is to be known of a conflict that somebody settled so."""
    after = split_lines(text.decode("utf-8", "surrogateescape"))
    return Remembered(path, _marked(parts), after, by, at)


def recall(known: Remembered, parts: Sequence[Chunk]) -> bytes | None:
    """Return the file settled as before; None when it has changed too much for that."""
    now = _marked(parts)
    if not (can_compare(known.before, now) and can_compare(known.before, known.after)):
        return None
    merged = chunks(known.before, now, known.after)
    if any(part.is_conflict for part in merged):
        return None
    lines = [line for part in merged for line in part.merged[0]]
    return None if runs_together(lines) or set(lines) & {*_MARKERS} else encoded(lines)


def _marked(parts: Sequence[Chunk]) -> Lines:
    """Return the file with its conflicts between markers, the same whichever side is whose."""
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
