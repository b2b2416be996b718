"""A plan's tasks as a table with their risks; a narrow one omits columns."""

from typing import ClassVar

from rich.text import Text
from textual import events

from pex_tui.core.formatting import clock
from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.sanitize import clean
from pex_tui.planning.plan_file.warnings import risks
from pex_tui.tui.widgets.painting import symbols_of
from pex_tui.tui.widgets.row_table import RowTable, moving_keys

_WIDE = 96  # cells of a table that has room for everything
_COLUMNS = ("", "ID", "TASK", "AGENT", "NEEDS", "WRITES", "EST", "RISK")
_WIDE_ONLY = frozenset({"TASK", "NEEDS"})


class TaskTable(RowTable, inherit_bindings=False):
    """One row per task; the cursor stays in place when the plan changes."""

    BINDINGS = moving_keys("left", "right")
    YIELDING: ClassVar[frozenset[str]] = frozenset({"ID", "TASK", "AGENT", "NEEDS", "WRITES"})

    def __init__(self) -> None:
        super().__init__()
        self._plan: tuple[Plan, PlanGraph] | None = None
        self._is_narrow: bool | None = None

    def show(self, plan: Plan, graph: PlanGraph) -> None:
        """Show this plan."""
        self._plan = (plan, graph)
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Show or hide columns by the width."""
        is_narrow = event.size.width < _WIDE
        if is_narrow is not self._is_narrow:
            self._is_narrow = is_narrow
            self._fill()

    def _fill(self) -> None:
        if self._plan is None or self._is_narrow is None:
            return  # nothing to show yet, or no room to show it in
        plan, graph = self._plan
        shown = [name for name in _COLUMNS if not (self._is_narrow and name in _WIDE_ONLY)]
        show = symbols_of(self).text
        rows = []
        for spec, risk in zip(plan.tasks, risks(plan, graph), strict=True):
            cells = dict(zip(_COLUMNS, _cells(spec, risk), strict=True))
            ink = "" if spec.enabled else "dim strike"
            rows.append([Text(show(clean(cells[name])), ink, no_wrap=True) for name in shown])
        self.fill(shown, rows, self.cursor_row)


def _cells(spec: TaskSpec, risk: str) -> tuple[str, ...]:
    writes = "reads only" if spec.is_read_only else "unknown" if spec.writes is None else ""
    if spec.writes:
        more = f" +{len(spec.writes) - 1}" if len(spec.writes) > 1 else ""
        writes = f"{spec.writes[0]}{more}"
    return (
        "✓" if spec.enabled else "·",
        spec.id,
        spec.title,
        spec.agent or "command",
        ", ".join(spec.needs) or "–",
        writes,
        clock(spec.estimate_seconds),
        risk,
    )
