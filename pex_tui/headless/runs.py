"""Runs as a table for a terminal."""

import time

from pex_tui.core.text import clean
from pex_tui.engine.session import RunSummary
from pex_tui.headless.text_report import clock

_GOAL = 40


def render_runs(runs: tuple[RunSummary, ...]) -> str:
    """One line a run, newest first."""
    if not runs:
        return "No run in this repository yet. Start one: pex-tui run PLAN, or try pex-tui demo.\n"
    lines = [f"{'RUN':<10} {'WHEN':<16} {'OUTCOME':<12} {'LANDED':>7} {'TIME':>8}  GOAL"]
    for run in runs:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created_at))
        landed = f"{run.landed}/{run.tasks}"
        goal = clean(run.goal.partition("\n")[0])
        lines.append(
            f"{run.run:<10} {when:<16} {_outcome(run):<12} {landed:>7} {clock(run.seconds):>8}  "
            f"{goal if len(goal) <= _GOAL else goal[: _GOAL - 1] + '…'}"
        )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _outcome(run: RunSummary) -> str:
    if run.is_live:
        return "live"
    return "interrupted" if run.outcome is None else str(run.outcome)
