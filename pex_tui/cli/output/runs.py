"""Runs as a table for a terminal."""

import time

from pex_tui.core.formatting import clock, counted
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import RunSummary
from pex_tui.reports.text import WIDTH

_HEAD = ("RUN", "WHEN", "OUTCOME", "LANDED", "TIME", "GOAL")
_TO_THE_RIGHT = frozenset({"LANDED", "TIME"})
_LEAST_GOAL = 20


def render_runs(runs: tuple[RunSummary, ...]) -> str:
    """Render one line per run, newest first, as wide as a report unless names are very long."""
    if not runs:
        return "No run in this repository yet. Start one: pex-tui run PLAN, or try pex-tui demo.\n"
    rows = [_HEAD, *(_row(run) for run in runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    room = max(_LEAST_GOAL, WIDTH - sum(widths) - 2 * len(widths))
    return "".join(_line(row, widths, room) for row in rows)


def _row(run: RunSummary) -> tuple[str, ...]:
    return (
        clean(run.run),
        time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created_at)),
        _outcome(run),
        f"{run.landed}/{run.tasks}",
        clock(run.worked_seconds),
        clean(run.goal.partition("\n")[0]),
    )


def _line(row: tuple[str, ...], widths: list[int], room: int) -> str:
    *columns, goal = row
    padded = [
        text.rjust(width) if title in _TO_THE_RIGHT else text.ljust(width)
        for title, text, width in zip(_HEAD, columns, widths, strict=False)
    ]
    shown = goal if len(goal) <= room else goal[: room - 1] + "…"
    return "  ".join([*padded, shown]).rstrip() + "\n"


def _outcome(run: RunSummary) -> str:
    if run.is_live:
        return "live"
    if run.is_lost:
        return "no journal"
    if run.open_conflicts:
        return counted(run.open_conflicts, "conflict")
    return "interrupted" if run.outcome is None else str(run.outcome)
