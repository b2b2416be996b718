"""Three symbol sets: the specification's emoji, line drawings, plain ASCII.

All symbols of a set have the same number of cells, so columns stay aligned. ⏸ is written without
its variation selector, because terminals disagree on its width with one.
"""

from enum import StrEnum

from msgspec import Struct
from rich.cells import set_cell_size

from pex_tui.core.views.status import Status


class SymbolName(StrEnum):
    """Values of `monitoring.symbols`."""

    EMOJI = "emoji"
    LINE = "line"
    ASCII = "ascii"


class SymbolSet(Struct, frozen=True):
    """Symbols of statuses and drawing characters; `width` is the number of cells of a symbol."""

    name: SymbolName
    width: int
    by_status: dict[Status, str]
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

    def padded(self, status: Status | None) -> str:
        """Return the status's symbol, padded to `width`; without a status, that of a free slot."""
        return set_cell_size(self.free if status is None else self.by_status[status], self.width)

    def bare(self, status: Status | None) -> str:
        """Return the symbol without its padding."""
        return self.padded(status).rstrip()

    def text(self, text: str) -> str:
        """Return the text as this set can show it."""
        if self.name is not SymbolName.ASCII or text.isascii():
            return text
        return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")

    def without_colour(self) -> "SymbolSet":
        """Return the set with bars that differ in shape: a filled and an empty ━ look alike."""
        if self.name is SymbolName.ASCII:
            return self
        return SymbolSet(self.name, self.width, self.by_status, full="█", empty="░", unknown="╌")


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
        Status.RUNNING: "▸",
        Status.STARTING: "◌",
        Status.WAITING: "◦",
        Status.PAUSED: "‖",
        Status.ASKING: "?",
        Status.RETRYING: "↻",
        Status.STOPPING: "■",
        Status.LANDING: "↓",
        Status.CONFLICT: "⇄",
        Status.DONE: "✓",
        Status.FAILED: "✗",
        Status.BLOCKED: "⊘",
    },
)
_EMOJI = SymbolSet(
    SymbolName.EMOJI,
    2,
    {
        Status.RUNNING: "⚡",
        Status.STARTING: "🔄",
        Status.WAITING: "⏸",
        Status.PAUSED: "✋",
        Status.ASKING: "🔔",
        Status.RETRYING: "🔧",
        Status.STOPPING: "🛑",
        Status.LANDING: "📥",
        Status.CONFLICT: "🔀",
        Status.DONE: "✅",
        Status.FAILED: "❌",
        Status.BLOCKED: "🚫",
    },
)
_ASCII = SymbolSet(
    SymbolName.ASCII,
    4,
    {
        Status.RUNNING: "RUN",
        Status.STARTING: "INIT",
        Status.WAITING: "WAIT",
        Status.PAUSED: "HELD",
        Status.ASKING: "ASK?",
        Status.RETRYING: "RTRY",
        Status.STOPPING: "STOP",
        Status.LANDING: "LAND",
        Status.CONFLICT: "CONF",
        Status.DONE: "DONE",
        Status.FAILED: "FAIL",
        Status.BLOCKED: "BLKD",
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
