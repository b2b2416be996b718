"""The report as Markdown, for a pull request or a job summary; texts are escaped."""

from collections.abc import Iterable, Iterator, Sequence

from pex_tui.core.sanitize import clean
from pex_tui.reports.report import Report
from pex_tui.reports.rows import (
    CONFLICT_HEAD,
    TASK_HEAD,
    conflict_rows,
    failure_rows,
    task_cells,
)
from pex_tui.reports.text import figure_lines, notices, outcome_words

_MARKUP = str.maketrans({character: f"\\{character}" for character in "\\|`*_~<>[]#"})
_LAST_LINES = 12


def render_markdown(report: Report) -> str:
    """Return the whole report."""
    state = report.state
    origin = f"{_escaped(state.target or 'a detached HEAD')} at `{state.base[:9]}`"
    lines = [
        f"## Run `{state.run}`: {outcome_words(report)}",
        "",
        _escaped(state.plan.goal.partition("\n")[0]),
        "",
        f"Branch `{state.branch}`, from {origin}.",
        "",
        *_table(TASK_HEAD, task_cells(report)),
        *_failures(report),
        *_table(CONFLICT_HEAD, conflict_rows(report)),
        *(f"- {_escaped(line)}" for line in figure_lines(report)),
        *(("", *(f"> {_escaped(line)}  " for line in told)) if (told := notices(report)) else ()),
    ]
    return "\n".join(lines) + "\n"


def _failures(report: Report) -> Iterator[str]:
    for failure in failure_rows(report):
        yield f"**{_escaped(failure.task)}**: {_escaped(failure.detail)}"
        yield ""
        # Unlike a fenced block, an indented block can't be closed by its content.
        yield from (f"    {clean(line)}" for line in failure.output[-_LAST_LINES:])
        yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    cells = [f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in rows]
    if cells:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from cells
        yield ""


def _escaped(text: str) -> str:
    return clean(text).translate(_MARKUP)
