"""The specification's boxed monitor as lines of pieces: a pure function of a view.

At 74 cells the box is exactly the specification's; other widths stretch or shrink its bars and give
the rest to the activity. Information without a place in the specification is below the tasks.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from rich.cells import cell_len

from pex_tui.core.formatting import percent
from pex_tui.core.model.ids import TaskId
from pex_tui.core.views.status import Status
from pex_tui.core.views.view_models import TaskRow
from pex_tui.tui.symbols import SymbolName, SymbolSet
from pex_tui.tui.widgets.classic.classic_view import ClassicView
from pex_tui.tui.widgets.painting import Piece, fit

TITLE = "PARALLEL AGENT EXECUTION MONITOR"
_THREADS = " Threads:"
_DRAWN_AT = 74  # the width of the specification's box, which has bars of 18 and 12 cells
_OVERALL, _BAR, _AGENT = 18, 12, 18
_WIDEST_AGENT = 24
_LEAST_TASKS = 3  # minimum of task lines before the lines below them are dropped
_FRAME = "dim"
_TRACK = "faint"
_CORNERS = {"top": ("╔", "╗"), "middle": ("╠", "╣"), "bottom": ("╚", "╝")}
_PLAIN_CORNERS = dict.fromkeys(_CORNERS, ("+", "+"))
_LIVE = frozenset({Status.RUNNING, Status.PAUSED, Status.STOPPING, Status.LANDING})
_QUIET = frozenset({Status.WAITING, Status.BLOCKED})
_LOUD = frozenset({Status.PAUSED, Status.RETRYING, Status.CONFLICT, Status.FAILED, Status.STOPPING})
_SELECTORS = {0xFE0E: None, 0xFE0F: None}  # terminals disagree on the width of the preceding symbol

Pieces = Sequence[Piece]


class BoxLine(Struct, frozen=True):
    """A line with its frame, the first and the last piece; `task` is the task of the line."""

    pieces: tuple[Piece, ...]
    task: TaskId | None = None
    is_selected: bool = False


class Page(Struct, frozen=True):
    """The lines that fit; `top` is the first visible task, `room` the number that fit."""

    lines: tuple[BoxLine, ...]
    top: int = 0
    room: int = 1


class Canvas(Struct, frozen=True):
    """The size of the drawing area, and its symbols."""

    width: int
    height: int
    symbols: SymbolSet


def draw(view: ClassicView | None, canvas: Canvas, cursor: TaskId | None, top: int = 0) -> Page:
    """Draw the box with the cursor's task in view, scrolled as little as needed from `top`."""
    box = _Box(canvas)
    if view is None:
        head = [box.title(), [(" No run yet: press F1 to start one", "dim")]]
        return Page((box.edge("top"), *map(box.line, head), box.edge("bottom")))
    head = [box.title(), box.overall(view), *box.threads(view)]
    at = next((at for at, row in enumerate(view.rows) if row.id == cursor), 0)
    notes = box.notes(view, at)
    total = max(1, len(view.rows))
    spare = canvas.height - len(head) - 3 - min(total, _LEAST_TASKS)
    notes = notes[: max(0, spare - 1)]  # one more for the line above them
    room = max(1, canvas.height - len(head) - 3 - (len(notes) + 1 if notes else 0))
    top = max(at - room + 1, min(top, at, total - room), 0)
    last = min(top + room, len(view.rows))
    shown = [box.task(view, one, is_selected=one == at) for one in range(top, last)]
    above, below = top, max(0, total - top - room)
    lines = [box.edge("top"), *map(box.line, head), box.edge("middle", _more(above, "above"))]
    lines += shown or [box.line([(" The plan has no tasks", "dim")])]
    if notes:
        lines += [box.edge("middle", _more(below, "below")), *map(box.line, notes)]
        below = 0
    return Page((*lines, box.edge("bottom", _more(below, "below"))), top, room)


def _more(count: int, where: str) -> str:
    return f" {count} more {where} " if count else ""


class _Box:
    """The parts of the box at one size."""

    def __init__(self, canvas: Canvas) -> None:
        self._symbols = canvas.symbols
        self._bars = canvas.symbols.without_colour()
        self._width = canvas.width
        self._inner = max(0, canvas.width - 3)  # without the frame and the space before its end
        is_plain = canvas.symbols.name is SymbolName.ASCII
        self._corners = _PLAIN_CORNERS if is_plain else _CORNERS
        self._side, self._rule = ("|", "=") if is_plain else ("║", "═")

    def _scaled(self, cells: int) -> int:
        return max(4, cells * self._width // _DRAWN_AT)

    def _text(self, text: str) -> str:
        return self._symbols.text(text.translate(_SELECTORS))

    def edge(self, which: str, words: str = "") -> BoxLine:
        """Return a line of the frame."""
        left, right = self._corners[which]
        room = max(0, self._width - 2)
        named = fit(words, min(room, cell_len(words)), self._symbols.rest)
        lead = self._rule if named and room > cell_len(named) else ""
        rule = self._rule * (room - cell_len(named) - len(lead))
        return BoxLine(
            _within(((left + lead, _FRAME), (named, ""), (rule + right, _FRAME)), self._width)
        )

    def line(
        self, pieces: Pieces, task: TaskId | None = None, *, is_selected: bool = False
    ) -> BoxLine:
        """Return pieces between the sides, cut or padded to the width."""
        shown = [(self._text(text), ink) for text, ink in pieces]
        inside = _fitted(shown, self._inner, self._symbols.rest)
        framed = ((self._side, _FRAME), *inside, (" ", ""), (self._side, _FRAME))
        return BoxLine(_within(framed, self._width), task, is_selected)

    def title(self) -> Pieces:
        """Return the heading."""
        rocket = "🚀 " if self._symbols.name is SymbolName.EMOJI else ""
        return [(f" {rocket}{TITLE}", "brand")]

    def overall(self, view: ClassicView) -> Pieces:
        """Return the run's progress."""
        header = view.header
        pieces = [(" Overall Progress: ", "")]
        pieces += self._bar(header.progress, self._scaled(_OVERALL), header.status, is_live=False)
        share = f" {percent(header.progress)}"
        return [*pieces, (share, "strong"), (f" | Elapsed: {view.elapsed}", "")]

    def threads(self, view: ClassicView) -> list[Pieces]:
        """Return the slots and the usage, in as many lines as they need."""
        symbols = self._symbols
        parts: list[tuple[str, Piece]] = [
            (" ", (f"[{slot.slot}:{symbols.padded(slot.status)}]", slot.status or "dim"))
            for slot in view.header.slots
        ]
        if view.header.boosted:
            parts.append((" | ", ("Emergency Boost", "bold starting")))
        figures = [f"Memory: {view.memory}", f"CPU: {view.cpu}"] if view.memory else []
        if figures and len(_THREADS) + len(" | ".join(figures)) < self._inner:
            figures = [" | ".join(figures)]  # on one line, if it can hold both
        parts += [(" | ", (figure, "")) for figure in figures]
        return self._flowing(_THREADS, parts)

    def _flowing(self, label: str, parts: Iterable[tuple[str, Piece]]) -> list[Pieces]:
        """Return parts after a label, each with its separator.

        Further lines begin below the first.
        """
        lines: list[list[Piece]] = [[(label, "")]]
        used = cell_len(label)
        for separator, (text, ink) in parts:
            before = separator if used > len(label) else " "
            if used > len(label) and used + cell_len(before + text) > self._inner:
                lines.append([(" " * len(label), "")])
                used, before = len(label), " "
            lines[-1] += [(before, ""), (text, ink)]
            used += cell_len(before + text)
        return list(lines)

    def task(self, view: ClassicView, at: int, *, is_selected: bool) -> BoxLine:
        """Return a task: number, symbol, agent, progress and activity."""
        row = view.rows[at]
        dim = "dim" if row.status in _QUIET else ""
        label = f"[T{at + 1}]".ljust(len(f"[T{len(view.rows)}]"))
        lead: Piece = (">", "brand") if is_selected else (" ", "")
        pieces: list[Piece] = [lead, (label, "strong"), (" ", "")]
        pieces += [
            (self._symbols.padded(row.status), row.status),
            (" ", ""),
            *self._agent(row, dim),
        ]
        pieces += self._bar(
            row.progress,
            self._scaled(_BAR),
            row.status,
            is_live=row.status in _LIVE and row.attempt > 0,
        )
        most = max(3, *(len(one.percent) for one in view.rows))
        pieces += [(f" {row.percent:>{most}}", dim), (" | ", _FRAME), (f"{row.id}: ", dim)]
        pieces.append((row.activity, row.status if row.status in _LOUD else dim))
        return self.line(pieces, row.id, is_selected=is_selected)

    def _agent(self, row: TaskRow, ink: str) -> Pieces:
        boost = self._symbols.boost if row.boosted else ""
        width = min(self._scaled(_AGENT), _WIDEST_AGENT)
        agent = self._text(row.agent)
        room = width - cell_len(boost)
        name = fit(agent, min(cell_len(agent), room), self._symbols.rest)
        pad = " " * (room - cell_len(name) + 1)
        return [(name, ink), (boost, "bold starting"), (pad, "")]

    def _bar(self, part: float | None, width: int, ink: str, *, is_live: bool) -> list[Piece]:
        bars = self._bars
        if part is None:
            return [(bars.unknown * width, ink) if is_live else (bars.empty * width, _TRACK)]
        filled = min(width, round(part * width))
        return [(bars.full * filled, ink), (bars.empty * (width - filled), _TRACK)]

    def notes(self, view: ClassicView, at: int) -> list[Pieces]:
        """Return information without a place in the specification, the most urgent first."""
        notes: list[Pieces] = [
            [(f" {self._symbols.padded(status)} {words}", f"bold {status}")]
            for status, words in view.alarms
        ]
        header = view.header
        symbol = self._symbols.padded(header.status)
        notes.append(
            [
                (f" Run: {header.run} | Status: ", ""),
                (f"{symbol} {header.stage}", f"bold {header.status}"),
                (f" | Ended: {header.ended}/{header.tasks} | Goal: {header.goal}", ""),
            ]
        )
        if header.land:
            status, words = header.landing_status, header.land[:1].upper() + header.land[1:]
            notes.append([(f" {self._symbols.padded(status)} {words}", status)])
        return notes + (self._selected(view, at) if view.rows else [])

    def _selected(self, view: ClassicView, at: int) -> list[Pieces]:
        row, worked = view.rows[at], view.worked[at]
        facts = f" | Attempt: {row.attempt} | Elapsed: {worked}" if worked else ""
        selected = f" Selected: [T{at + 1}] {row.id}{facts} | {row.title}"
        return [[(selected, "")], [(" Activity: ", ""), (row.activity, row.status)]]


def _fitted(pieces: Iterable[Piece], width: int, rest: str) -> list[Piece]:
    """Return the pieces in exactly `width` cells, truncated with a mark."""
    shown: list[Piece] = []
    left = width
    for text, ink in pieces:
        cells = cell_len(text)
        shown.append((text if cells <= left else fit(text, left, rest), ink))
        left -= min(cells, left)
        if not left:
            break
    return [*shown, (" " * left, "")]


def _within(pieces: Iterable[Piece], width: int) -> tuple[Piece, ...]:
    """Return non-empty pieces within the width, however small it is."""
    return tuple(piece for piece in _fitted(pieces, width, "") if piece[0])
