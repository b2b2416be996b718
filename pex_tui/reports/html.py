"""The report as one self-contained HTML page without scripts; all text is escaped."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from pex_tui.core.figures.history import PhaseSpan
from pex_tui.core.formatting import clock, percent
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.sanitize import clean
from pex_tui.reports.html_style import STYLE
from pex_tui.reports.report import Report
from pex_tui.reports.rows import (
    CONFLICT_HEAD,
    TASK_HEAD,
    conflict_rows,
    failure_rows,
    task_cells,
)
from pex_tui.reports.text import figure_lines, next_steps, notices, outcome_words

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_DRAWN = {
    Phase.STARTING: ("start", "starting"),
    Phase.RUNNING: ("run", "running"),
    Phase.STOPPING: ("run", "stopping"),
    Phase.PAUSED: ("hold", "paused"),
    Phase.BACKOFF: ("hold", "waiting to try again"),
    Phase.QUEUED: ("land", "in the merge queue"),
    Phase.LANDING: ("land", "landing"),
    Phase.CONFLICT: ("clash", "in conflict"),
}
_LEGEND = (("run", "running"), ("land", "landing"), ("hold", "held"), ("clash", "in conflict"))
_LAST_LINES = 40


def render_html(report: Report) -> str:
    """Return a self-contained page."""
    sections = (
        ("Timeline", _timeline(report)),
        ("Tasks", _table(TASK_HEAD, task_cells(report), status_at=1)),
        ("Failures", _failures(report)),
        ("Conflicts", _table(CONFLICT_HEAD, conflict_rows(report))),
        ("Figures", _list(figure_lines(report))),
        ("Notices", _list(notices(report)) if notices(report) else ""),
        ("Next", f"<pre>{_lines(list(next_steps(report))[2:])}</pre>"),
    )
    body = "".join(
        f"<section><h2>{title}</h2>{content}</section>" for title, content in sections if content
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>pex-tui run {_html(report.state.run)}</title><style>{STYLE}</style></head>"
        f"<body>{_header(report)}{body}</body></html>\n"
    )


def _header(report: Report) -> str:
    state = report.state
    verdict = report.outcome if report.is_finished else "open"
    return (
        f"<header><h1>Run <code>{_html(state.run)}</code> "
        f'<span class="verdict {verdict}">{_html(outcome_words(report))}</span></h1>'
        f"<p>{_html(state.plan.goal.partition(chr(10))[0])}</p>"
        f'<p class="dim"><code>{_html(state.branch)}</code> from '
        f"{_html(state.target or 'a detached HEAD')} at <code>{_html(state.base[:9])}</code></p>"
        f'<div class="tiles">{"".join(_tiles(report))}</div></header>'
    )


def _tiles(report: Report) -> Iterator[str]:
    state, found = report.state, report.metrics
    landed = sum(task.phase is Phase.LANDED for task in state.tasks)
    speedup = "–" if found.speedup is None else f"{found.speedup:.1f}×"
    yield _tile(f"{landed} of {len(state.tasks)}", "tasks landed")
    yield _tile(clock(found.makespan_seconds), f"{clock(found.work_seconds)} of work")
    bound = f"no scheduler could need less than {clock(found.lower_bound_seconds)}"
    yield _tile(percent(found.schedule_efficiency), f"schedule efficiency: {bound}")
    yield _tile(speedup, "as fast as one task at a time")
    yield _tile(str(len(state.conflicts)), f"conflicts, {len(state.open_conflicts)} open")


def _tile(figure: str, meaning: str) -> str:
    return f"<div><b>{_html(figure)}</b><span>{_html(meaning)}</span></div>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], status_at: int | None = None) -> str:
    """Return a table; the cell at `status_at` is a status and coloured by it."""
    body = ""
    for row in rows:
        cells = (
            f'<td class="{_html(text)}">{_html(text)}</td>'
            if place == status_at
            else f"<td>{_html(text)}</td>"
            for place, text in enumerate(row)
        )
        body += f"<tr>{''.join(cells)}</tr>"
    titles = "".join(f"<th>{_html(title)}</th>" for title in head)
    return f'<div class="wide"><table><tr>{titles}</tr>{body}</table></div>' if body else ""


def _timeline(report: Report) -> str:
    history = report.history
    whole = history.ended_at - history.began_at
    if whole <= 0:
        return ""
    ticks = "".join(
        f'<i style="left:{percent(part)}">{_html(clock(whole * part))}</i>' for part in _QUARTERS
    )
    rows = "".join(_lane(report, task, whole) for task in report.state.tasks)
    legend = "".join(f'<i class="{kind}"></i>{_html(text)} ' for kind, text in _LEGEND)
    return (
        f'<div class="wide"><div class="lanes"><span></span><div class="ticks">{ticks}</div>{rows}'
        f'</div></div><p class="dim legend">{legend}</p>'
    )


def _lane(report: Report, task: TaskState, whole: float) -> str:
    spans = report.history.tasks[task.id].spans
    bars = "".join(_bar(report, task, span, whole) for span in spans if span.phase in _DRAWN)
    return f'<span>{_html(task.id)}</span><div class="lane">{bars}</div>'


def _bar(report: Report, task: TaskState, span: PhaseSpan, whole: float) -> str:
    kind, meaning = _DRAWN[span.phase]
    seconds = span.end - span.begin
    failed = " failed" if kind == "run" and task.phase is Phase.FAILED else ""
    return (
        f'<i class="{kind}{failed}" title="{_html(f"{task.id}: {meaning} {clock(seconds)}")}" '
        f'style="left:{(span.begin - report.history.began_at) / whole:.2%};'
        f'width:max(2px,{seconds / whole:.2%})"></i>'
    )


def _failures(report: Report) -> str:
    return "".join(
        f"<p><b>{_html(failure.task)}</b> {_html(failure.detail)}</p>"
        + (
            f'<pre class="bad">{_lines(failure.output[-_LAST_LINES:])}</pre>'
            if failure.output
            else ""
        )
        for failure in failure_rows(report)
    )


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{_html(line)}</li>' for line in lines)}</ul>"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(_html(line) for line in lines)


def _html(text: str) -> str:
    return escape(clean(text))
