"""A card for each slot: its task, progress and activity."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from pex_tui.core.model.ids import TaskId
from pex_tui.core.views.view_models import SlotView, TaskRow
from pex_tui.tui.widgets.painting import Piece, fit
from pex_tui.tui.widgets.scroller import Scroller

_HEIGHT = 5
_TWO_COLUMNS = 90
_ROUND = "╭─╮│╰╯"
_PLAIN = "+-+|++"


class SlotCards(Scroller):
    """Cards in one column, or two if they fit; the cursor's card has a bright frame."""

    cursor: var[TaskId | None] = var(None)

    @dataclass
    class Picked(Message):
        """A task was picked."""

        task: TaskId

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._cards: tuple[tuple[SlotView, TaskRow | None], ...] = ()

    def show(
        self, slots: Sequence[SlotView], rows: Sequence[TaskRow], cursor: TaskId | None
    ) -> None:
        """Show the slots and the rows of their tasks."""
        by_id = {row.id: row for row in rows}
        cards = tuple((slot, by_id.get(slot.task) if slot.task else None) for slot in slots)
        if self._columns == 1:  # busy slots first, so that free ones do not push them out of view
            cards = tuple(sorted(cards, key=lambda card: card[1] is None))
        self.cursor = cursor
        if cards != self._cards:
            self._cards = cards
            self.lines_changed()

    def watch_cursor(self) -> None:
        """Move the bright frame."""
        self.refresh()

    @property
    def _columns(self) -> int:
        return 2 if self.size.width >= _TWO_COLUMNS else 1

    @property
    def _corners(self) -> tuple[str, ...]:
        return tuple(_PLAIN if self.symbols.name == "ascii" else _ROUND)

    def line_total(self) -> int:
        """Return the number of lines of all cards."""
        return -(-len(self._cards) // self._columns) * _HEIGHT

    def line(self, index: int, width: int) -> Strip:
        """Return one line of the cards that are side by side there."""
        columns = self._columns
        row, part = divmod(index, _HEIGHT)
        each = width // columns
        side = self._cards[row * columns : (row + 1) * columns]
        pieces = [piece for card in side for piece in self._part(*card, part, each)]
        return self.paint(pieces, width)

    def _part(self, slot: SlotView, row: TaskRow | None, part: int, width: int) -> list[Piece]:
        here = row is not None and row.id == self.cursor
        frame = "brand" if here else "faint"
        left_top, line, right_top, side, left_end, right_end = self._corners
        inner = width - 4
        if part == 0:
            title = self._title(slot, row, inner - 2)
            used = sum(cell_len(text) for text, _ in title)
            rest = line * max(0, width - 4 - used)
            return [(f"{left_top}{line} ", frame), *title, (rest + right_top, frame)]
        if part == _HEIGHT - 1:
            return [(left_end + line * (width - 2) + right_end, frame)]
        return [(f"{side} ", frame), *self._body(row, part, inner), (f" {side}", frame)]

    def _title(self, slot: SlotView, row: TaskRow | None, width: int) -> list[Piece]:
        if row is None:
            return [(f"{slot.slot} free ", "dim")]
        name = fit(f"{row.id} {row.agent}", min(width, len(row.id) + len(row.agent) + 1))
        return [
            (f"{slot.slot} ", "dim"),
            (self.symbols.bare(row.status), row.status),
            (f" {name} ", "strong"),
        ]

    def _body(self, row: TaskRow | None, part: int, width: int) -> list[Piece]:
        if row is None:
            return [(" " * width, "")]
        if part == 1:
            return [
                *self.bar(row.progress, width - 6, row.status, is_live=True),
                (row.percent.rjust(6), ""),
            ]
        if part == 2:  # noqa: PLR2004  # the lines of a card
            return [(fit(row.activity, width, self.symbols.rest), "")]
        spent = (f"{row.tokens} tok" if row.tokens else "", f"${row.cost}" if row.cost else "")
        about = " · ".join(word for word in (row.title, row.time, *spent) if word)
        return [(fit(about, width, self.symbols.rest), "dim")]

    def action_go(self, lines: int) -> None:
        """Select the next card that has a task."""
        held = [row.id for _, row in self._cards if row is not None]
        if held:
            at = held.index(self.cursor) + lines if self.cursor in held else 0
            task = held[max(0, min(len(held) - 1, at))]
            self.post_message(self.Picked(task))

    def on_click(self, event: events.Click) -> None:
        """Select the card under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        columns = self._columns
        row = (self.top + offset.y) // _HEIGHT
        at = row * columns + min(columns - 1, offset.x // max(1, self.size.width // columns))
        if at < len(self._cards) and (card := self._cards[at][1]) is not None:
            self.post_message(self.Picked(card.id))
