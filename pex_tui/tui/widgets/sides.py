"""A conflict's hunk as painted lines: one side, and the result with where each line is from."""

from rich.cells import chop_cells

from pex_tui.core.conflict import Conflict
from pex_tui.core.hunks import Chunk, Origin
from pex_tui.core.text import clean
from pex_tui.tui.settlement import FileMerge
from pex_tui.tui.widgets.text_view import Line

_CONTEXT = 3
_LEAST_TEXT = 8  # cells
_MOST_SHOWN_BYTES = 100_000
_INKS = {
    Origin.BASE: "",
    Origin.OURS: "brand",
    Origin.THEIRS: "conflict",
    Origin.BOTH: "info",
    Origin.OPEN: "failed",
}
_WORDS = {Origin.OURS: "ours", Origin.THEIRS: "theirs", Origin.BOTH: "both"}


def why(conflict: Conflict) -> str:
    """Why the two fell out, for a person."""
    others = ", ".join(conflict.tasks[1:])
    paths = ", ".join(clean(file.path, 60) for file in conflict.files[:2])
    if not others:
        return f"what has landed since {conflict.tasks[0]} started changed {paths} as well."
    verb = "was" if "," not in others else "were"
    return f"both changed {paths}; {others} {verb} landed first."


def side_lines(entry: FileMerge | None, name: str, hunk: int, width: int) -> list[Line]:
    """One side of the hunk, with a few lines around it, folded to so many cells."""
    if entry is None:
        return []
    if entry.parts is None:
        return _whole(getattr(entry.sides, name), width)
    number = 1 + sum(len(_of(part, name)) for part in entry.parts[:hunk])
    before = _of(entry.parts[hunk - 1], name)[-_CONTEXT:] if hunk else ()
    after = _of(entry.parts[hunk + 1], name)[:_CONTEXT] if hunk + 1 < len(entry.parts) else ()
    ink = {"ours": "brand", "base": "paused", "theirs": "conflict"}[name]
    mine = _of(entry.parts[hunk], name)
    gutter = len(str(number + len(mine) + len(after)))
    lines = _numbered(before, number - len(before), " ", "", gutter, width)
    lines += _numbered(mine, number, "+" if name != "base" else " ", ink, gutter, width)
    return lines + _numbered(after, number + len(mine), " ", "", gutter, width)


def _of(part: Chunk, name: str) -> tuple[str, ...]:
    side: tuple[str, ...] = getattr(part, name)
    return side


def _numbered(
    lines: tuple[str, ...], first: int, mark: str, ink: str, gutter: int, width: int
) -> list[Line]:
    """Each line with its number; where it is too long it goes on below, without one."""
    room = max(_LEAST_TEXT, width - len(mark) - gutter - 2)
    made: list[Line] = []
    for number, line in enumerate(lines, first):
        parts = chop_cells(clean(line.rstrip("\n")), room) or [""]
        for place, part in enumerate(parts):
            label = f" {number:>{gutter}} " if place == 0 else " " * (gutter + 2)
            made.append(((mark, ink), (label, "dim"), (part, ink)))
    return made


def _whole(raw: bytes | None, width: int) -> list[Line]:
    """A side that can only be taken whole: its text, or what can be said of it."""
    if raw is None:
        return [(("no such file", "dim"),)]
    if b"\0" in raw:
        return [((f"binary, {len(raw)} bytes", "dim"),)]
    lines = raw[:_MOST_SHOWN_BYTES].decode("utf-8", "replace").splitlines()
    return _numbered(tuple(lines), 1, "", "", len(str(len(lines))), width)


def preview_lines(entry: FileMerge | None, hunk: int) -> list[Line]:
    """The result with each line's origin, from a little above the hunk."""
    if entry is None:
        return []
    if entry.parts is None and entry.edited is None:
        side = {None: "nothing chosen", "ours": "ours", "theirs": "theirs"}[entry.whole]
        return [((f"The whole file: {side}", "dim"),)]
    rows: list[Line] = []
    first = 0
    for place, (text, origin, number) in enumerate(entry.lines):
        if number == hunk and not first:
            first = place
        word = "choose o / t / B" if origin is Origin.OPEN else _WORDS.get(origin, "")
        body = clean(text.rstrip("\n"))
        rows.append(
            ((f"{place + 1:>5}  ", "dim"), (f"{body:<60}", _INKS[origin]), (f"  {word}", "dim"))
        )
    return rows[max(0, first - _CONTEXT) :] if entry.edited is None else rows
