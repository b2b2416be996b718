"""Strategies that resolve text conflicts where the intention of both sides is clear.

All of them work on three versions of one file. Clean changes of both sides are taken; each
conflicting hunk is resolved by one of the allowed strategies, or the whole file is not resolved.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise

from msgspec import Struct

from pex_tui.core.textmerge.diff3 import Chunk, Lines, chunks, split_lines
from pex_tui.core.textmerge.line_matching import comparisons, ends_shared, matching_lines

_MOST_BYTES = 4 * 1024 * 1024
_MOST_COMPARISONS = 2_000_000


class Resolution(Struct, frozen=True):
    """A file without conflicts, and the strategies that resolved its hunks, each once."""

    text: bytes
    strategies: tuple[str, ...]


class AutoStrategy(Struct, frozen=True):
    """A way to resolve a conflicting hunk automatically, subject to the gate.

    A strategy that is `by_path` is allowed by a setting of its name, which holds globs; the others
    by being listed in the setting `silent`.
    """

    name: str
    meaning: str
    merge: Callable[[Chunk], Lines | None]
    by_path: bool = False


class _Edit(Struct, frozen=True):
    """Replacement of the lines `start` to `end` (excluded) of the base."""

    start: int
    end: int
    lines: Lines

    @property
    def is_insertion(self) -> bool:
        """Return whether the edit replaces nothing."""
        return self.start == self.end


def read_conflict(base: bytes | None, ours: bytes, theirs: bytes) -> tuple[Chunk, ...] | None:
    """Return three versions of a file as chunks; without a base both sides are new.

    None when there is no conflict or the file is not plain text: binary, mixed line ends, or too
    large to compare.
    """
    texts = [_text(raw) for raw in (base or b"", ours, theirs)]
    lines = [split_lines(text) for text in texts if text is not None]
    if len(lines) < len(texts) or len(_line_ends(lines)) > 1:
        return None
    if not all(can_compare(lines[0], side) for side in lines[1:]):
        return None
    parts = chunks(*lines)
    return parts if any(part.is_conflict for part in parts) else None


def can_compare(base: Lines, side: Lines) -> bool:
    """Return whether the comparison takes about a second at most."""
    return comparisons(base, side) <= _MOST_COMPARISONS


def resolve_text(parts: Sequence[Chunk], allowed: Collection[str]) -> Resolution | None:
    """Return the file with all conflicts resolved; None if no strategy takes some hunk."""
    lines: list[str] = []
    used: dict[str, None] = {}
    for part in parts:
        if not part.is_conflict:
            lines.extend(part.merged[0])
            continue
        resolved = _resolve_chunk(part, allowed)
        if resolved is None:
            return None
        strategy, merged = resolved
        used[strategy] = None
        lines.extend(merged)
    return None if runs_together(lines) else Resolution(encoded(lines), tuple(used))


def runs_together(lines: Sequence[str]) -> bool:
    """Return whether a last line of a version, which has no line end, is followed by another."""
    return any(not line.endswith("\n") for line in lines[:-1])


def encoded(lines: Sequence[str]) -> bytes:
    """Encode lines as they are stored in a file."""
    return "".join(lines).encode("utf-8", "surrogateescape")


def _resolve_chunk(part: Chunk, allowed: Collection[str]) -> tuple[str, Lines] | None:
    for strategy in STRATEGIES:
        if strategy.name in allowed:
            merged = strategy.merge(part)
            if merged is not None:
                return strategy.name, merged
    return None


def _superset(part: Chunk) -> Lines | None:
    """Return the side that contains the other's whole change, if one does."""
    ours, theirs = _edits(part.base, part.ours), _edits(part.base, part.theirs)
    if _holds(ours, theirs):
        return part.ours
    if _holds(theirs, ours):
        return part.theirs
    return None


def _holds(more: Sequence[_Edit], less: Sequence[_Edit]) -> bool:
    """Return whether one side's removals and additions include the other's.

    A side that only removes is included by none: the other side may have changed or moved the same
    lines. The same holds for a side that adds only blanks and braces.
    """
    added = [line for edit in less for line in edit.lines]
    return (
        any(character.isalnum() for line in added for character in line)
        and _removed(less) <= _removed(more)
        and _is_within(added, [line for edit in more for line in edit.lines])
    )


def _adjacent(part: Chunk) -> Lines | None:
    """Return both sides' edits, if they touch without overlap and their order is clear."""
    ours, theirs = _edits(part.base, part.ours), _edits(part.base, part.theirs)
    edits = sorted({*ours, *theirs}, key=lambda edit: (edit.start, edit.end))
    if not all(_may_stand(*pair) for pair in pairwise(edits)):
        return None
    merged: list[str] = []
    at = 0
    for edit in edits:
        merged += [*part.base[at : edit.start], *edit.lines]
        at = edit.end
    return (*merged, *part.base[at:])


def _may_stand(before: _Edit, after: _Edit) -> bool:
    """Return whether two edits are apart, or touch with a clear order of their lines."""
    if before.end > after.start or (before.is_insertion and after.is_insertion):
        return before.end < after.start
    if before.end < after.start or not (before.is_insertion or after.is_insertion):
        return True
    replaced = after if before.is_insertion else before
    return len(replaced.lines) == replaced.end - replaced.start


def _union(part: Chunk) -> Lines | None:
    """Return both sides' additions at one place, the landed side first, common lines once."""
    if part.base:
        return None
    ours, theirs = part.ours, part.theirs
    head, tail = ends_shared(ours, theirs)
    inner = ours[head : len(ours) - tail]
    return (*theirs[: len(theirs) - tail], *inner, *theirs[len(theirs) - tail :])


def _edits(base: Lines, side: Lines) -> tuple[_Edit, ...]:
    edits = []
    at, on = 0, 0
    for line, twin in (*matching_lines(base, side).items(), (len(base), len(side))):
        if (at, on) != (line, twin):
            edits.append(_Edit(at, line, side[on:twin]))
        at, on = line + 1, twin + 1
    return tuple(edits)


def _removed(edits: Sequence[_Edit]) -> set[int]:
    return {line for edit in edits for line in range(edit.start, edit.end)}


def _is_within(some: Sequence[str], lines: Sequence[str]) -> bool:
    """Return whether all of the lines occur among the others, in their order."""
    rest = iter(lines)
    return all(line in rest for line in some)


def _text(raw: bytes) -> str | None:
    if b"\0" in raw or len(raw) > _MOST_BYTES:
        return None
    return raw.decode("utf-8", "surrogateescape")


def _line_ends(versions: Sequence[Lines]) -> set[bool]:
    """Return whether lines end with CRLF; both values for mixed line ends."""
    ended = (line for lines in versions for line in lines if line.endswith("\n"))
    return {line.endswith("\r\n") for line in ended}


STRATEGIES = (
    AutoStrategy("superset", "one side holds the other's change", _superset),
    AutoStrategy("adjacent", "edits on neighbouring lines", _adjacent),
    AutoStrategy("union", "both sides add in one place", _union, by_path=True),
)
"""All strategies, in order of safety."""
