"""The run in three lines: identity, progress, usage."""

from msgspec import Struct
from rich.cells import cell_len
from textual.reactive import reactive
from textual.strip import Strip

from pex_tui.core.formatting import percent, size, tokens
from pex_tui.core.views.status import Status
from pex_tui.core.views.view_models import HeaderView, SlotView
from pex_tui.tui.widgets.painting import Painted, Piece, fit
from pex_tui.tui.widgets.spark import sparkline

WIDE = 100
_GRAPH = 12
_LEAST_GOAL = 8


class UsageView(Struct, frozen=True):
    """The latest measurements, oldest first: CPU fractions of the machine, bytes of memory.

    `tokens` and `cost_usd` are the run's totals at those times.
    """

    cpu: tuple[float, ...] = ()
    memory: tuple[int, ...] = ()
    tokens: tuple[int, ...] = ()
    cost_usd: tuple[float, ...] = ()


class RunHeader(Painted):
    """Three painted lines."""

    view: reactive[HeaderView | None] = reactive(None)
    usage: reactive[UsageView] = reactive(UsageView())

    def render_line(self, y: int) -> Strip:
        """Return a line of the header."""
        width = self.size.width
        view = self.view
        if view is None:
            return self.paint([("pex", "brand"), ("  no run yet", "dim")] if y == 0 else (), width)
        wide = width >= WIDE - 2
        if y == 0:
            return self.paint(self._title(view, width, wide=wide), width)
        if y == 1:
            return self.paint(self._progress(view, width, wide=wide), width)
        return self.paint(self._resources(view, width, wide=wide), width)

    def _title(self, view: HeaderView, width: int, *, wide: bool) -> list[Piece]:
        gap = "   " if wide else " "
        head: list[Piece] = [
            ("pex ", "brand"),
            ("run ", "dim") if wide else ("", ""),
            (view.run, ""),
        ]
        symbol = self.symbols.bare(view.status)
        tail: list[Piece] = [(f"{gap}{symbol} {view.stage}", f"bold {view.status}")]
        tail += [(f"{gap}wave ", "dim"), (str(view.wave), "strong"), (f"/{view.waves}", "")]
        tail += [(f"{gap}elapsed " if wide else " · ", "dim"), (view.elapsed, "strong")]
        if view.eta:
            tail += [(f"{gap}eta ", "dim"), (view.eta, "")]
        if wide:
            tail += [(f"{gap}base ", "dim"), (view.base, "")]
        used = sum(cell_len(text) for text, _ in (*head, *tail)) + 3
        room = max(_LEAST_GOAL, width - used)
        goal = fit(view.goal, min(room, cell_len(view.goal)), self.symbols.rest)
        return [*head, (f"{'  ' if wide else ' '}{goal}", "strong"), *tail]

    def _progress(self, view: HeaderView, width: int, *, wide: bool) -> list[Piece]:
        share = f"{percent(view.progress):>5}"
        tasks = f"  {view.ended}/{view.tasks}" + (" tasks ended" if wide else "")
        room = max(4, width - len(share) - len(tasks))
        pieces = self.bar(view.progress, room, view.status, is_live=False)
        return [*pieces, (share, "strong"), (tasks, "dim")]

    def _resources(self, view: HeaderView, width: int, *, wide: bool) -> list[Piece]:
        pieces = self._slots(view) if wide else self._counts(view)
        pieces += self._usage(wide=wide)
        pieces += self._spent(view, wide=wide)
        text, ink = view.land, str(view.landing_status)
        if view.open_conflicts and wide:
            count = view.open_conflicts
            symbol = self.symbols.bare(Status.CONFLICT)
            text = f"{symbol} {count} conflict" + ("s" if count > 1 else "")
            ink = "bold conflict"
        used = sum(cell_len(piece) for piece, _ in pieces)
        room = width - used - 3
        if text and room > 0:
            pieces += [("   ", ""), (fit(text, min(room, cell_len(text)), self.symbols.rest), ink)]
        return pieces

    def _slots(self, view: HeaderView) -> list[Piece]:
        pieces: list[Piece] = [("slots ", "dim")]
        for slot in view.slots:
            pieces += self._slot(slot)
        if view.boosted:
            pieces.append((f"{self.symbols.boost}boost ", "bold starting"))
        return pieces

    def _slot(self, slot: SlotView) -> list[Piece]:
        if slot.status is None:
            return [(f"{slot.slot}{self.symbols.free} ", "dim")]
        return [(f"{slot.slot}{self.symbols.bare(slot.status)} ", slot.status)]

    def _counts(self, view: HeaderView) -> list[Piece]:
        return [(f"{self.symbols.bare(status)}{count} ", status) for status, count in view.counts]

    def _spent(self, view: HeaderView, *, wide: bool) -> list[Piece]:
        """Return tokens and cost, if agents report them.

        A narrow header has room only for the cost.
        """
        pieces: list[Piece] = []
        if wide and view.tokens is not None:
            pieces += [("  tokens ", "dim"), (tokens(view.tokens), "")]
        if view.cost_usd is not None:
            pieces += [("  cost " if wide else " ", "dim"), (f"${view.cost_usd:.2f}", "")]
        return pieces

    def _usage(self, *, wide: bool) -> list[Piece]:
        if not self.usage.cpu:
            return []
        cpu, memory = self.usage.cpu, self.usage.memory
        glyphs = self.symbols.spark
        pieces: list[Piece] = [("  cpu " if wide else " cpu ", "dim")]
        if wide:
            pieces.append((sparkline(cpu, _GRAPH, 1.0, glyphs) + " ", "info"))
        pieces += [(f"{percent(cpu[-1]):>3}", ""), ("  mem " if wide else " mem ", "dim")]
        if wide:
            pieces.append((sparkline(memory, _GRAPH, max(memory) * 1.5, glyphs) + " ", "info"))
        return [*pieces, (size(memory[-1]), "")]
