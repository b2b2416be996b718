"""Output of `pex-tui rollback` and `pex-tui recover`."""

import time
from collections.abc import Sequence

from pex_tui.core.formatting import size
from pex_tui.core.sanitize import clean
from pex_tui.core.undo_values import RollbackPreview, UndoEntry
from pex_tui.reports.rollback_text import rollback_lines

_HEAD = ("ID", "WHEN", "UNTIL", "COMMAND", "RUN", "SIZE", "WHAT")


def render_rollback(preview: RollbackPreview) -> str:
    """Render what a rollback will do."""
    return "".join(f"{clean(line)}\n" for line in rollback_lines(preview))


def render_undo_log(entries: Sequence[UndoEntry]) -> str:
    """Render the undo log as a table, newest first."""
    if not entries:
        return "Nothing was removed or rolled back in the last 30 days.\n"
    rows = [_HEAD, *(_row(entry) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    return "".join(_line(row, widths) for row in rows)


def _row(entry: UndoEntry) -> tuple[str, ...]:
    return (
        entry.id,
        time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.at)),
        time.strftime("%Y-%m-%d", time.localtime(entry.until)),
        entry.command,
        clean(entry.run),
        size(entry.size_bytes) if entry.size_bytes else "",
        clean(entry.what),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
    return "  ".join([*padded, row[-1]]).rstrip() + "\n"
