"""Lines folded to a width, and positions in the resulting rows; only visible rows are folded."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

from msgspec import Struct
from rich.cells import cell_len, get_character_cell_size

_WIDEST = 2  # cells of a character
_SPACES = re.compile(" *")


class Place(NamedTuple):
    """A character of a line; it stays the same when the lines are folded to another width."""

    line: int
    at: int


class Row(NamedTuple):
    """A row of a line; `since` and `until` count the lines before its begin and its end."""

    text: str
    since: float
    until: float


class FoldedLines(Struct, frozen=True):
    """`total` lines of clean text, the first of which is `text(0)`."""

    text: Callable[[int], str]
    total: int
    width: int

    def moved(self, place: Place, rows: int) -> Place:
        """Return the start of the row so many rows further, within the text."""
        line, starts = place.line, self._starts(place.line)
        row = bisect_right(starts, place.at) - 1 + rows
        while row < 0 and line > 0:
            line -= 1
            starts = self._starts(line)
            row += len(starts)
        while row >= len(starts) and line + 1 < self.total:
            line += 1
            row -= len(starts)
            starts = self._starts(line)
        return Place(line, starts[max(0, min(row, len(starts) - 1))])

    def page(self, top: Place, height: int) -> list[Row]:
        """Return at most `height` rows, starting with the one that contains the place."""
        rows: list[Row] = []
        line, at = top
        while len(rows) < height and line < self.total:
            text, starts = self.text(line), self._starts(line)
            count = len(starts)
            for row in range(bisect_right(starts, at) - 1, count):
                end = starts[row + 1] if row + 1 < count else len(text)
                shown = text[starts[row] : end].rstrip()
                rows.append(Row(shown, line + row / count, line + (row + 1) / count))
            line, at = line + 1, 0
        return rows[:height]

    def _starts(self, line: int) -> list[int]:
        return row_starts(self.text(line), self.width)


def row_starts(text: str, width: int) -> list[int]:
    """Return where the rows of a text begin: at words, or within a word wider than a row."""
    text, width = text.rstrip(), max(_WIDEST, width)
    starts = [0]
    if cell_len(text) <= width:
        return starts
    before: Sequence[int] = range(len(text) + 1)  # cells before each character
    if not text.isascii():
        before = list(accumulate(map(get_character_cell_size, text), initial=0))
    while (end := bisect_right(before, before[starts[-1]] + width) - 1) < len(text):
        is_wide = before[end] - before[end - 1] == _WIDEST  # as in scripts without spaces
        starts.append(end if is_wide else _at_word(text, starts[-1], end))
        starts[-1] = _SPACES.match(text, starts[-1]).end()  # type: ignore[union-attr]  # it matches
    return starts


def _at_word(text: str, start: int, end: int) -> int:
    """Return the end of the last whole word in start…end, or `end` if there is none."""
    space = end if text[end] == " " else text.rfind(" ", start, end)
    return space if text[start : max(start, space)].strip() else end
