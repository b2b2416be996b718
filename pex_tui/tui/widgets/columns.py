"""The columns of the agents list at a given width."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from rich.cells import cell_len

from pex_tui.core.model.ids import RunId
from pex_tui.core.model.run_refs import run_prefix
from pex_tui.core.views.view_models import TaskRow

WIDE, WIDER = 100, 150
Detail = Literal["full", "high", "medium", "low"]
"""The amount of detail per task, as in monitoring.detail_level."""
_FRAME = 4  # frame and padding of the panel
_LEAST_ACTIVITY = 16
_PERCENT = 5
_TIME = 7
_SPENT = 7  # for tokens, and for cost


class Columns(Struct, frozen=True):
    """Widths in cells; 0 means that the column is hidden."""

    id: int
    agent: int
    title: int
    bar: int
    activity: int
    time: int
    spent: int  # each of tokens and cost
    ref: int


def columns(
    width: int, symbol: int, rows: Iterable[TaskRow], run: RunId, detail: Detail = "high"
) -> Columns:
    """Return the columns of a list of `width` cells whose marks take `symbol` cells.

    Medium detail hides tokens, cost and refs; low detail also hides title and time.
    """
    screen = width + _FRAME
    wide, wider = screen >= WIDE, screen >= WIDER
    shown = tuple(rows)
    longest_id = max((cell_len(row.id) for row in shown), default=4)
    identity = min(longest_id, 24 if wider else 14 if wide else 11) + 1
    longest_agent = max((cell_len(row.agent) for row in shown), default=5)
    agent = min(max(longest_agent, 5), 20 if wide else 14)
    is_low, is_high = detail == "low", detail in {"high", "full"}
    title = (30 if wider else 18) if wide and not is_low else 0
    bar = 24 if wider else 14 if wide else 8
    time = _TIME if wide and not is_low else 0
    spent = _SPENT if wide and is_high and any(row.tokens or row.cost for row in shown) else 0
    ref = min(len(run_prefix(run)) + longest_id + 2, 34) + 2 if wider and is_high else 0
    fixed = 4 + symbol + identity + agent + 1 + bar + _PERCENT + 1 + time + 2 * spent + ref
    fixed += title + 1 if title else 0
    rest = width - fixed
    if rest < _LEAST_ACTIVITY:
        cut = min(_LEAST_ACTIVITY - rest, max(0, agent - 6))
        agent, rest = agent - cut, rest + cut
    return Columns(identity, agent, title, bar, max(1, rest), time, spent, ref)
