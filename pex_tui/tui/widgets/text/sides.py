"""A conflict as painted lines: its head, the sides of a hunk, and the result with origins."""

from difflib import unified_diff

from rich.cells import cell_len, chop_cells

from pex_tui.core.consequences import blockers
from pex_tui.core.landing.approval import protected_words
from pex_tui.core.model.conflict import Conflict, ConflictKind
from pex_tui.core.model.state import RunState
from pex_tui.core.sanitize import clean
from pex_tui.core.textmerge.diff3 import Chunk, Origin
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.tui.manual_resolution import FileMerge, ManualResolution
from pex_tui.tui.widgets.text.text_view import Line

_WIDE = 100
_CONTEXT = 3
_MOST_NAMED = 2
_NUMBER = 7  # cells of a line number in the result
_CHOOSE = "  choose o / t / B"
_ALIGNED = 60  # cells of text before the column of origins
_LEAST_TEXT = 8  # cells
_MOST_SHOWN_BYTES = 100_000
_INKS = {
    Origin.BASE: "",
    Origin.OURS: "brand",
    Origin.THEIRS: "conflict",
    Origin.BOTH: "info",
    Origin.OPEN: "failed",
}
_DIFF_INKS = {"+": "brand", "-": "failed", "@": "dim"}
_WORDS = {Origin.OURS: "ours", Origin.THEIRS: "theirs", Origin.BOTH: "both"}


def why(conflict: Conflict) -> str:
    """Return the reason for the conflict."""
    if conflict.kind is ConflictKind.PROTECTED:
        return f"{clean(protected_words(conflict))}: ours allows that, theirs leaves it out."
    others = ", ".join(conflict.tasks[1:])
    if conflict.detail and not others:
        return f"{clean(conflict.detail)}."
    paths = ", ".join(clean(file.path, 60) for file in conflict.files[:_MOST_NAMED])
    more = len(conflict.files) - _MOST_NAMED
    paths += f" and {more} more" if more > 0 else ""
    if not others:
        return f"what has landed since {conflict.tasks[0]} started changed {paths} as well."
    verb = "was" if "," not in others else "were"
    return f"both changed {paths}; {others} {verb} landed first."


def head_lines(
    conflict: Conflict | None,
    state: RunState | None,
    resolution: ManualResolution | None,
    width: int,
) -> list[Line]:
    """Return the head: files, position, the reason for the conflict, and the tasks that wait."""
    if conflict is None or state is None:
        return [(("pex ", "brand"), ("conflict  ", "dim"), ("No conflict is open.", "strong"))]
    task, others = conflict.tasks[0], ", ".join(conflict.tasks[1:]) or "what had landed"
    is_alone = conflict.kind is ConflictKind.PROTECTED
    queue = state.open_conflicts
    place = f"{queue.index(conflict) + 1}/{len(queue)} " if len(queue) > 1 else ""
    gap = "   " if width >= _WIDE else "  "
    first: Line = (
        ("pex ", "brand"),
        (f"conflict {place}", "dim"),
        (str(task) if is_alone else f"{task} × {others}", "strong"),
    )
    if resolution is not None and resolution.files:
        entry = resolution.current
        first += (
            (f"{gap}{clean(entry.sides.path)} ", ""),
            (f"({clean(entry.sides.kind)}){gap}", "dim"),
            (f"file {resolution.file + 1}/{len(resolution.files)}", "dim"),
            (f"{gap}hunk {_hunk_place(resolution)}" if entry.parts is not None else "", "dim"),
        )
    waiting = [one.id for one in state.tasks if task in blockers(state, one)]
    second: Line = (("why ", "dim"), (why(conflict), ""))
    if waiting:
        second += (("  blocks ", "dim"), (", ".join(waiting), ""))
    return [first, second]


def _hunk_place(resolution: ManualResolution) -> str:
    hunks = resolution.current.conflicts
    at = hunks.index(resolution.hunk) + 1 if resolution.hunk in hunks else 1
    return f"{at}/{len(hunks)}"


def side_lines(entry: FileMerge | None, name: str, hunk: int, width: int) -> list[Line]:
    """Return one side of the hunk, with a few lines of context, folded to so many cells."""
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
    """Return each line with its number; a long line continues below without one."""
    room = max(_LEAST_TEXT, width - len(mark) - gutter - 2)
    made: list[Line] = []
    for number, line in enumerate(lines, first):
        parts = chop_cells(clean(line.rstrip("\n")), room) or [""]
        for place, part in enumerate(parts):
            label = f" {number:>{gutter}} " if place == 0 else " " * (gutter + 2)
            made.append(((mark, ink), (label, "dim"), (part, ink)))
    return made


def _whole(raw: bytes | None, width: int) -> list[Line]:
    """Return a side that can only be taken whole: its text, or a description."""
    if raw is None:
        return [(("no such file", "dim"),)]
    if b"\0" in raw:
        return [((f"binary, {len(raw)} bytes", "dim"),)]
    lines = raw[:_MOST_SHOWN_BYTES].decode("utf-8", "replace").splitlines()
    return _numbered(tuple(lines), 1, "", "", len(str(len(lines))), width)


def _changes(sides: ConflictSides, width: int) -> list[Line]:
    """Return the task's changes to a file, as a diff."""
    before, after = (side or b"" for side in (sides.theirs, sides.ours))
    if before == after:
        return [(("Only its mode or its kind changes.", "dim"),)]
    if b"\0" in before + after:
        return [(("It is binary.", "dim"),)]
    old, new = (
        side[:_MOST_SHOWN_BYTES].decode("utf-8", "replace").splitlines() for side in (before, after)
    )
    return [
        ((part, _DIFF_INKS.get(line[:1], "")),)
        for line in [*unified_diff(old, new, n=_CONTEXT, lineterm="")][2:]
        for part in chop_cells(clean(line), max(_LEAST_TEXT, width)) or [""]
    ]


def preview_lines(entry: FileMerge | None, hunk: int, width: int) -> list[Line]:
    """Return the result with each line's origin, from above the hunk, folded to so many cells."""
    if entry is None:
        return []
    if entry.parts is None and entry.edited is None:
        side = {None: "nothing chosen", "ours": "ours", "theirs": "theirs"}[entry.whole]
        whole: Line = ((f"The whole file: {side}", "dim"),)
        is_protected = entry.sides.kind == ConflictKind.PROTECTED
        return [whole, *(_changes(entry.sides, width) if is_protected else ())]
    room = max(_LEAST_TEXT, width - _NUMBER - len(_CHOOSE))
    aligned = min(room, _ALIGNED)
    rows: list[Line] = []
    first = 0
    for place, (text, origin, number) in enumerate(entry.lines, 1):
        if number == hunk and not first:
            first = len(rows)
        word = _CHOOSE if origin is Origin.OPEN else f"  {_WORDS.get(origin, '')}"
        for at, part in enumerate(chop_cells(clean(text.rstrip("\n")), room) or [""]):
            label = f"{place:>5}  " if at == 0 else " " * _NUMBER
            body = part + " " * max(0, aligned - cell_len(part))
            rows.append(((label, "dim"), (body, _INKS[origin]), (word if at == 0 else "", "dim")))
    return rows[max(0, first - _CONTEXT) :] if entry.edited is None else rows
