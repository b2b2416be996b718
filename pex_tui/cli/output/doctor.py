"""Output of `pex-tui doctor`."""

from collections.abc import Iterable
from textwrap import wrap

from pex_tui.core.sanitize import clean
from pex_tui.engine.session import CheckLevel, DoctorCheck

_MARKS = {CheckLevel.OK: "✓", CheckLevel.WARN: "!", CheckLevel.BAD: "✗"}
_WIDTH = 96


def render_checks(checks: Iterable[DoctorCheck]) -> str:
    """Render one line per finding; problems include the remedy."""
    lines = []
    for check in checks:
        lines.append(f"{_MARKS[check.level]} {check.name:<12} {clean(check.found)}")
        for line in check.remedy.splitlines():
            lines += wrap(clean(line), _WIDTH, initial_indent=" " * 15, subsequent_indent=" " * 15)
    return "\n".join(lines) + "\n"
