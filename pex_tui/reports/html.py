"""The report as one self-contained HTML page without scripts.

Jinja2 escapes every value of the template; `clean` has made it one safe line before that.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from pex_tui.core.figures.history import PhaseSpan
from pex_tui.core.formatting import clock, percent
from pex_tui.core.model.phases import SUCCEEDED, Phase
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.sanitize import clean
from pex_tui.reports.report import Report
from pex_tui.reports.rows import (
    CONFLICT_HEAD,
    TASK_HEAD,
    conflict_rows,
    failure_rows,
    task_cells,
)
from pex_tui.reports.text import figure_lines, next_steps, notices, outcome_words

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATES = Path(__file__).parent / "templates"
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_DRAWN = {
    Phase.STARTING: ("start", "starting"),
    Phase.RUNNING: ("run", "running"),
    Phase.STOPPING: ("run", "stopping"),
    Phase.PAUSED: ("hold", "paused"),
    Phase.BACKOFF: ("hold", "waiting to try again"),
    Phase.QUEUED: ("land", "in the merge queue"),
    Phase.LANDING: ("land", "landing"),
    Phase.CONFLICT: ("conflict", "in conflict"),
}
_LEGEND = (("run", "running"), ("land", "landing"), ("hold", "held"), ("conflict", "in conflict"))
_LAST_LINES = 40


class Bar(Struct, frozen=True):
    """A stretch of a task's time in the timeline; `left` and `width` are CSS percentages."""

    kind: str
    meaning: str
    left: str
    width: str


def render_html(report: Report) -> str:
    """Return a self-contained page."""
    state, history = report.state, report.history
    whole = history.ended_at - history.began_at
    return _template().render(
        state=state,
        verdict=report.outcome if report.is_finished else "open",
        outcome=outcome_words(report),
        goal=state.plan.goal.partition("\n")[0],
        tiles=list(_tiles(report)),
        ticks=[(percent(part), clock(whole * part)) for part in _QUARTERS],
        lanes=[(task.id, list(_bars(report, task, whole))) for task in state.tasks]
        if whole > 0
        else [],
        legend=_LEGEND,
        task_head=TASK_HEAD,
        tasks=list(task_cells(report)),
        failures=list(failure_rows(report)),
        last_lines=_LAST_LINES,
        conflict_head=CONFLICT_HEAD,
        conflicts=list(conflict_rows(report)),
        figures=list(figure_lines(report)),
        notices=list(notices(report)),
        steps=list(next_steps(report))[2:],
    )


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  # only for HTML
    from markupsafe import Markup  # noqa: PLC0415  # likewise

    def finalize(value: object) -> str:
        """Clean a value; what a macro of the template made is markup of cleaned values."""
        return value if isinstance(value, Markup) else clean(str(value))

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _tiles(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the large figures, each with its meaning."""
    state, found = report.state, report.metrics
    done = sum(task.phase in SUCCEEDED for task in state.tasks)
    speedup = "–" if found.speedup is None else f"{found.speedup:.1f}×"
    yield f"{done} of {len(state.tasks)}", "tasks done"
    yield clock(found.makespan_seconds), f"{clock(found.work_seconds)} of work"
    bound = f"best possible {clock(found.lower_bound_seconds)}"
    yield percent(found.schedule_efficiency), f"schedule efficiency: {bound}"
    yield speedup, "as fast as one task at a time"
    yield str(len(state.conflicts)), f"conflicts, {len(state.open_conflicts)} open"


def _bars(report: Report, task: TaskState, whole: float) -> Iterator[Bar]:
    for span in report.history.tasks[task.id].spans:
        if span.phase in _DRAWN:
            yield _bar(report, task, span, whole)


def _bar(report: Report, task: TaskState, span: PhaseSpan, whole: float) -> Bar:
    kind, meaning = _DRAWN[span.phase]
    seconds = span.end - span.begin
    failed = " failed" if kind == "run" and task.phase is Phase.FAILED else ""
    return Bar(
        f"{kind}{failed}",
        f"{task.id}: {meaning} {clock(seconds)}",
        f"{(span.begin - report.history.began_at) / whole:.2%}",
        f"{seconds / whole:.2%}",
    )
