"""Static text: a prompt, facts, a diff."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.strip import Strip

from pex_tui.core.sanitize import clean
from pex_tui.core.views.task_details import DetailLine
from pex_tui.tui.widgets.painting import Piece
from pex_tui.tui.widgets.scroller import Scroller
from pex_tui.tui.widgets.text.folding import row_starts

MOST_DIFF_LINES = 20_000
_LABEL = 13

Line = tuple[Piece, ...]
Fold = Callable[[int], Sequence[Line]]


class TextView(Scroller):
    """Painted lines; `show` keeps the position if the text only grows or changes."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()

    def show(self, lines: Sequence[Line], *, anew: bool = False) -> None:
        """Show other lines, from the top if their subject is another."""
        if anew:
            self.top = 0
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self.lines_changed()

    def line_total(self) -> int:
        """Return the number of lines."""
        return len(self._lines)

    def line(self, index: int, width: int) -> Strip:
        """Return a line."""
        return self.paint(self._lines[index], width)


class PlainView(TextView, inherit_bindings=False):
    """A view whose letter keys belong to the screen; the other keys scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "go(1)", "Down", show=False),
        Binding("k,up", "go(-1)", "Up", show=False),
        Binding("home", "edge(-1)", "Top", show=False),
        Binding("end", "edge(1)", "Bottom", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
    ]


class FoldedView(TextView):
    """Text folded to the view's width, again whenever that changes."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._fold: Fold = _nothing

    def show_folded(self, fold: Fold, *, anew: bool = False) -> None:
        """Show the result of `fold` for the width, from the top if it is something else."""
        self._fold = fold
        if anew:
            self.top = 0
        self._folded()

    def on_resize(self) -> None:
        """Fold to the new width."""
        self._folded()

    def _folded(self) -> None:
        """Fold the text; a view that was never shown has no width yet."""
        if self.size.width:
            self.show(self._fold(self.size.width - 1))


def _nothing(_width: int) -> Sequence[Line]:
    return ()


def folded(lines: Iterable[Line], width: int) -> list[Line]:
    """Fold painted lines of clean text to the width."""
    rows: list[Line] = []
    for line in lines:
        text = "".join(piece for piece, _ in line)
        starts = row_starts(text, width)
        if len(starts) == 1:
            rows.append(line)
        else:
            rows += [_part(line, *ends) for ends in pairwise([*starts, len(text)])]
    return rows


def _part(line: Line, begin: int, end: int) -> Line:
    """Return the pieces of a line from one character to another."""
    part: list[Piece] = []
    at = 0
    for text, ink in line:
        shown = text[max(0, begin - at) : max(0, end - at)]
        part += [(shown, ink)] if shown else []
        at += len(text)
    return tuple(part)


def wrapped(text: str, width: int) -> list[Line]:
    """Clean foreign text and fold it at words."""
    lines: list[Line] = []
    for raw in text.splitlines():
        folded = textwrap.wrap(clean(raw), max(8, width)) or [""]
        lines += [((part, ""),) for part in folded]
    return lines


def fact_lines(found: Iterable[DetailLine], width: int) -> list[Line]:
    """Return lines with labels to the left and folded facts to the right."""
    lines: list[Line] = []
    for label, text in found:
        folded = textwrap.wrap(text, max(8, width - _LABEL)) or [""]
        for at, part in enumerate(folded):
            lines.append((((label if at == 0 else "").ljust(_LABEL), "dim"), (part, "")))
    return lines


def diff_lines(diff: str) -> list[Line]:
    """Return a unified diff, cleaned and coloured; a very long one is truncated and says so."""
    raw = diff.splitlines()
    lines: list[Line] = [((clean(text), _diff_ink(text)),) for text in raw[:MOST_DIFF_LINES]]
    if len(raw) > MOST_DIFF_LINES:
        lines.append(((f"{len(raw) - MOST_DIFF_LINES} more lines are not shown.", "dim"),))
    return lines or [(("No changes yet.", "dim"),)]


def _diff_ink(line: str) -> str:
    if line.startswith(("diff ", "+++", "---")):
        return "strong"
    if line.startswith("@@"):
        return "hunk"
    if line.startswith("+"):
        return "added"
    if line.startswith("-"):
        return "removed"
    return "dim" if line.startswith(("index ", "new file", "deleted file", "similarity")) else ""
