"""Three symbol sets: the specification's emoji, line drawings, plain ASCII.

All marks of a set have the same number of cells, so columns stay aligned. ⏸ is written without its
variation selector, because terminals disagree on its width with one.
"""

from enum import StrEnum

from msgspec import Struct
from rich.cells import set_cell_size

from pex_tui.core.views.status import Mark


class SymbolName(StrEnum):
    """Values of `monitoring.symbols`."""

    EMOJI = "emoji"
    LINE = "line"
    ASCII = "ascii"


class SymbolSet(Struct, frozen=True):
    """Marks and drawing characters; `width` is the number of cells of a mark."""

    name: SymbolName
    width: int
    marks: dict[Mark, str]
    free: str = "·"
    boost: str = "↑"
    chosen: str = "●"
    full: str = "━"
    empty: str = "━"
    unknown: str = "╌"
    block: str = "▆"
    expected: str = "░"
    waiting: str = "·"
    present: str = "▏"
    spark: str = "▁▂▃▄▅▆▇█"
    rest: str = "…"

    def mark(self, mark: Mark | None) -> str:
        """Return the mark's symbol, padded to `width`; without a mark, that of a free slot."""
        return set_cell_size(self.free if mark is None else self.marks[mark], self.width)

    def bare(self, mark: Mark | None) -> str:
        """Return the symbol without its padding."""
        return self.mark(mark).rstrip()

    def text(self, text: str) -> str:
        """Return the text as this set can show it."""
        if self.name is not SymbolName.ASCII or text.isascii():
            return text
        return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")

    def without_colour(self) -> "SymbolSet":
        """Return the set with bars that differ in shape: a filled and an empty ━ look alike."""
        if self.name is SymbolName.ASCII:
            return self
        return SymbolSet(self.name, self.width, self.marks, full="█", empty="░", unknown="╌")


_PLAIN = str.maketrans(
    {
        "✓": "+",
        "–": "-",  # the dash for an unknown figure
        "…": "~",
        "·": "-",
        "⇄": "x",
        "×": "x",  # a factor
        "↑": "^",
        "→": ">",
        "▸": ">",
        "✗": "x",
        "⊘": "x",
        "‖": "=",
        "⏎": "enter",
        "▾": "v",
    }
)

_LINE = SymbolSet(
    SymbolName.LINE,
    1,
    {
        Mark.RUNNING: "▸",
        Mark.STARTING: "◌",
        Mark.WAITING: "◦",
        Mark.PAUSED: "‖",
        Mark.ASKING: "?",
        Mark.RETRYING: "↻",
        Mark.STOPPING: "■",
        Mark.LANDING: "↓",
        Mark.CONFLICT: "⇄",
        Mark.DONE: "✓",
        Mark.FAILED: "✗",
        Mark.BLOCKED: "⊘",
    },
)
_EMOJI = SymbolSet(
    SymbolName.EMOJI,
    2,
    {
        Mark.RUNNING: "⚡",
        Mark.STARTING: "🔄",
        Mark.WAITING: "⏸",
        Mark.PAUSED: "✋",
        Mark.ASKING: "🔔",
        Mark.RETRYING: "🔧",
        Mark.STOPPING: "🛑",
        Mark.LANDING: "📥",
        Mark.CONFLICT: "🔀",
        Mark.DONE: "✅",
        Mark.FAILED: "❌",
        Mark.BLOCKED: "🚫",
    },
)
_ASCII = SymbolSet(
    SymbolName.ASCII,
    4,
    {
        Mark.RUNNING: "RUN",
        Mark.STARTING: "INIT",
        Mark.WAITING: "WAIT",
        Mark.PAUSED: "HELD",
        Mark.ASKING: "ASK?",
        Mark.RETRYING: "RTRY",
        Mark.STOPPING: "STOP",
        Mark.LANDING: "LAND",
        Mark.CONFLICT: "CONF",
        Mark.DONE: "DONE",
        Mark.FAILED: "FAIL",
        Mark.BLOCKED: "BLKD",
    },
    free="-",
    boost="^",
    chosen="*",
    full="#",
    empty=".",
    unknown="-",
    block="#",
    expected=":",
    waiting=".",
    present="|",
    spark="_.-=+*%#",
    rest="~",
)
_SETS = {one.name: one for one in (_EMOJI, _LINE, _ASCII)}


def choose(name: str, encoding: str) -> SymbolSet:
    """Return the named set; ASCII if the locale's encoding is not UTF-8."""
    if encoding.lower().replace("-", "") != "utf8":
        return _ASCII
    return _SETS[SymbolName(name)]
