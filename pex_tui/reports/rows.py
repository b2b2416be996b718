"""Rows of tasks and conflicts for the HTML and Markdown reports, cell by cell, not escaped."""

from collections.abc import Iterator

from msgspec import Struct

from pex_tui.core.formatting import clock, listed
from pex_tui.core.landing.approval import landed_files
from pex_tui.core.model.phases import Phase
from pex_tui.reports.conflict_story import how_resolved, step_lines, times, told_conflicts
from pex_tui.reports.report import Report
from pex_tui.reports.text import subject

TASK_HEAD = ("task", "outcome", "what", "commit", "files", "attempts", "time")
CONFLICT_HEAD = (
    *("kind", "tasks", "about", "predicted", "overlapping", "conflicting"),
    *("decision", "how it went", "cost"),
)


class FailureRow(Struct, frozen=True):
    """A failed task, the reason, and the end of its gate's output."""

    task: str
    detail: str
    output: tuple[str, ...]


def task_cells(report: Report) -> Iterator[tuple[str, ...]]:
    """Yield one row per task, in plan order, with the cells of TASK_HEAD."""
    for task in report.state.tasks:
        past = report.history.tasks[task.id]
        what = subject(report, task) if task.landed else task.reason
        yield (
            task.id,
            str(task.phase),
            "" if what == task.phase else what,
            (task.landed or "")[:9],
            str(len(landed_files(report.state, task)) or ""),
            str(past.attempts or ""),
            clock(past.work_seconds) if past.attempts else "",
        )


def conflict_rows(report: Report) -> Iterator[tuple[str, ...]]:
    """Yield one row per reported conflict, in order of appearance, with CONFLICT_HEAD's cells."""
    for told in told_conflicts(report):
        conflict, cost = told.conflict, told.cost_seconds
        yield (
            str(conflict.kind),
            told.who,
            listed([file.path for file in conflict.files]) or conflict.detail,
            *times(report, conflict),
            how_resolved(conflict),
            "; ".join(step_lines(report, conflict)),
            "" if cost is None else clock(cost),
        )


def failure_rows(report: Report) -> Iterator[FailureRow]:
    """Yield the failed tasks."""
    for task in report.state.tasks:
        if task.phase is Phase.FAILED and task.failure is not None:
            log = report.logs.get(task.id)
            lines = tuple(task.failure.output.splitlines()) or (log.lines if log else ())
            yield FailureRow(task.id, task.failure.detail, lines)
