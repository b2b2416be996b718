"""The report as Markdown and as one HTML page that needs nothing else; all text is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from pex_tui.core.phases import Phase
from pex_tui.core.text import clean
from pex_tui.headless.report import Report, cost_seconds
from pex_tui.headless.text_report import clock, figures, next_steps, outcome_words

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2433;--dim:#667085;--line:#d9dee8;--good:#2f7d4f;
--bad:#b3363e;--busy:#4f7ec4;--wait:#c9a227}
@media(prefers-color-scheme:dark){:root{--ink:#d7dce8;--dim:#8b93a7;--line:#323a4d;--good:#8fc77b;
--bad:#f0707d;--busy:#7aa2e3;--wait:#d9b65b}body{background:#14171f}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);max-width:62rem;
margin:3rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.2rem 0}
.dim{color:var(--dim)}table{border-collapse:collapse;width:100%}td,th{text-align:left;
padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--dim);font-weight:500}code,pre{font:13px/1.45 ui-monospace,monospace}
pre{overflow:auto;border-left:3px solid var(--bad);padding-left:.8rem}
.landed,.done{color:var(--good)}.failed,.aborted,.conflict{color:var(--bad)}
.lane{position:relative;height:1.1rem;min-width:22rem}.lane i{position:absolute;top:.15rem;
height:.8rem;border-radius:2px;background:var(--busy)}.lane i.q{background:var(--wait)}
"""
_DRAWN = {
    Phase.STARTING: "",
    Phase.RUNNING: "",
    Phase.STOPPING: "",
    Phase.PAUSED: "q",
    Phase.QUEUED: "q",
    Phase.LANDING: "q",
}


def render_markdown(report: Report) -> str:
    """For a pull request or a job summary."""
    state = report.state
    lines = [
        f"## Run `{state.run}`: {outcome_words(report)}",
        "",
        _md(state.plan.goal),
        "",
        "| task | outcome | commit | attempts | time |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(_md(cell) for cell in row)} |" for row in _task_rows(report)),
    ]
    conflicts = _conflict_rows(report)
    if conflicts:
        lines += ["", "| conflict | tasks | files | decision | cost |", "|---|---|---|---|---|"]
        lines += [f"| {' | '.join(_md(cell) for cell in row)} |" for row in conflicts]
    lines += ["", *(f"- {_md(line.strip())}" for line in _figure_lines(report)), ""]
    return "\n".join(lines)


def render_html(report: Report) -> str:
    """A page that needs nothing else."""
    state = report.state
    head = (
        f"<h1>Run <code>{_html(state.run)}</code>: {_html(outcome_words(report))}</h1>"
        f"<p>{_html(state.plan.goal)}</p>"
        f'<p class="dim">{_html(state.branch)} from {_html(state.target or "a detached HEAD")} '
        f"at <code>{_html(state.base[:9])}</code> in "
        f"{_html(clock(report.metrics.makespan_seconds))}</p>"
    )
    sections = [
        ("Tasks", _table(("task", "outcome", "commit", "attempts", "time"), _task_rows(report))),
        ("Timeline", _lanes(report)),
        ("Failures", _failures(report)),
        (
            "Conflicts",
            _table(("kind", "tasks", "files", "decision", "cost"), _conflict_rows(report)),
        ),
        ("Figures", "".join(f"<p>{_html(line.strip())}</p>" for line in _figure_lines(report))),
        ("Next", f"<pre>{_html(chr(10).join(list(next_steps(report))[2:]))}</pre>"),
    ]
    body = "".join(f"<h2>{title}</h2>{content}" for title, content in sections if content)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>pex-tui run {_html(state.run)}</title><style>{_STYLE}</style>{head}{body}</html>\n"
    )


def _figure_lines(report: Report) -> list[str]:
    return [line for line in figures(report) if line.strip() and line != "Figures"]


def _task_rows(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for task in report.state.tasks:
        past = report.history.tasks[task.id]
        outcome = f"{task.phase}" + (f": {task.reason}" if task.reason else "")
        took = clock(past.work_seconds) if past.exited_at else ""
        rows.append((task.id, outcome, (task.landed or "")[:9], str(past.attempts), took))
    return rows


def _conflict_rows(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for conflict in report.state.conflicts:
        cost = cost_seconds(report.history, conflict)
        rows.append(
            (
                str(conflict.kind),
                " × ".join(conflict.tasks),
                ", ".join(file.path for file in conflict.files) or conflict.detail,
                str(conflict.decision or "open")
                + (f" by {conflict.decided_by}" if conflict.decided_by else ""),
                "" if cost is None else clock(cost),
            )
        )
    return rows


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(
        f"<tr>{''.join(_cell(place, cell) for place, cell in enumerate(row))}</tr>" for row in rows
    )
    titles = "".join(f"<th>{_html(title)}</th>" for title in head)
    return f"<table><tr>{titles}</tr>{cells}</table>" if cells else ""


def _cell(place: int, text: str) -> str:
    if place == 1:
        return f'<td class="{_html(text.partition(":")[0])}">{_html(text)}</td>'
    return f"<td>{_html(text)}</td>"


def _lanes(report: Report) -> str:
    history = report.history
    whole = history.ended_at - history.began_at
    if whole <= 0:
        return ""
    rows = []
    for task in report.state.tasks:
        bars = "".join(
            f'<i class="{_DRAWN[span.phase]}" '
            f'style="left:{(span.begin - history.began_at) / whole:.2%};'
            f'width:max(2px,{(span.end - span.begin) / whole:.2%})"></i>'
            for span in history.tasks[task.id].spans
            if span.phase in _DRAWN
        )
        rows.append(f'<tr><td>{_html(task.id)}</td><td><div class="lane">{bars}</div></td></tr>')
    return f"<table>{''.join(rows)}</table>"


def _failures(report: Report) -> str:
    return "".join(
        f"<p><b>{_html(task.id)}</b> {_html(task.failure.detail)}</p>"
        + (
            f"<pre>{'<br>'.join(_html(line) for line in task.failure.output.splitlines())}</pre>"
            if task.failure.output
            else ""
        )
        for task in report.state.tasks
        if task.phase is Phase.FAILED and task.failure is not None
    )


def _html(text: str) -> str:
    return escape(clean(text))


def _md(text: str) -> str:
    """Text that no renderer takes for markup."""
    escaped = clean(text).replace("\\", "\\\\")
    for character in "|`*_<>[]":
        escaped = escaped.replace(character, f"\\{character}")
    return escaped
