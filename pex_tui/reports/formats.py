"""The formats of a report."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pex_tui.reports.html import render_html
from pex_tui.reports.json_text import json_text
from pex_tui.reports.markdown import render_markdown
from pex_tui.reports.report import Report, report_object
from pex_tui.reports.text import render_text

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": render_text,
    "json": lambda report: json_text(report_object(report), indent=2) + "\n",
    "md": render_markdown,
    "html": render_html,
}
_SUFFIXES = {".txt": "text", ".json": "json", ".md": "md", ".html": "html"}
SUFFIXES = ", ".join(_SUFFIXES)


def format_of(path: Path) -> str | None:
    """Return the format for a file name."""
    return _SUFFIXES.get(path.suffix.lower())
