"""Comparison of two runs: their figures, and the outcomes of their common tasks."""

from collections.abc import Iterator

from pex_tui.core.formatting import UNKNOWN, clock, percent
from pex_tui.core.model.ids import TaskId
from pex_tui.core.sanitize import clean
from pex_tui.reports.report import Report
from pex_tui.reports.text import outcome_words

_LABEL = 22
_COLUMN = 20


def render_comparison(first: Report, second: Report) -> str:
    """Return both as text; changes are from the first run to the second."""
    lines = [
        _row("", f"run {first.state.run}", f"run {second.state.run}", ""),
        _row("goal", _goal(first), _goal(second), ""),
        _row("ended", outcome_words(first), outcome_words(second), ""),
        *_figures(first, second),
        "",
        *_tasks(first, second),
    ]
    return "\n".join(clean(line.rstrip()) for line in lines) + "\n"


def _row(label: str, left: str, right: str, change: str) -> str:
    cells = (f"{_cut(text):<{_COLUMN + 2}}" for text in (left, right))
    return f"{label:<{_LABEL}}{''.join(cells)}{change}"


def _cut(text: str) -> str:
    return text if len(text) <= _COLUMN else text[: _COLUMN - 1] + "…"


def _goal(report: Report) -> str:
    return report.state.plan.goal.partition("\n")[0]


def _figures(first: Report, second: Report) -> Iterator[str]:
    before, after = first.metrics, second.metrics
    for label, left, right in (
        ("makespan", before.makespan_seconds, after.makespan_seconds),
        ("work", before.work_seconds, after.work_seconds),
        ("lower bound", before.lower_bound_seconds, after.lower_bound_seconds),
    ):
        yield _row(label, clock(left), clock(right), _change(left, right))
    yield _row("speed-up", _times(before.speedup), _times(after.speedup), "")
    for label, one, other in (
        ("schedule efficiency", before.schedule_efficiency, after.schedule_efficiency),
        ("thread utilization", before.thread_utilization, after.thread_utilization),
        ("conflict rate", before.conflict_rate, after.conflict_rate),
    ):
        yield _row(label, percent(one), percent(other), "")
    if before.tokens is not None or after.tokens is not None:
        yield _row("tokens", _count(before.tokens), _count(after.tokens), "")
        yield _row("cost", _money(before.cost_usd), _money(after.cost_usd), "")


def _tasks(first: Report, second: Report) -> Iterator[str]:
    ours = {task.id for task in first.state.tasks}
    theirs = {task.id for task in second.state.tasks}
    for task in first.state.tasks:
        if task.id in theirs:
            left, right = _work(first, task.id), _work(second, task.id)
            change = _change(left, right) if left and right else ""
            yield _row(task.id, _told(first, task.id), _told(second, task.id), change)
        else:
            yield _row(task.id, _told(first, task.id), UNKNOWN, "")
    for task in second.state.tasks:
        if task.id not in ours:
            yield _row(task.id, UNKNOWN, _told(second, task.id), "")


def _work(report: Report, task: TaskId) -> float:
    return report.history.tasks[task].work_seconds


def _told(report: Report, task: TaskId) -> str:
    seconds = _work(report, task)
    return f"{report.state.task(task).phase}{f', {clock(seconds)}' if seconds else ''}"


def _change(left: float, right: float) -> str:
    """Describe the change from the first value to the second; under 5% counts as none."""
    if not left or abs(right - left) < 0.05 * left:  # less than 5%
        return "about the same"
    return f"{(right - left) / left:+.0%}"


def _times(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}×"


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _money(value: float | None) -> str:
    return UNKNOWN if value is None else f"${value:.2f}"
