"""Little graphs of the last measurements."""

from collections.abc import Sequence


def sparkline(values: Sequence[float], width: int, most: float, glyphs: str) -> str:
    """The newest values as at most `width` columns; `most` is the value of a full one."""
    top = len(glyphs) - 1
    shown = values[-width:]
    levels = (min(top, max(0, round(value / most * top))) if most > 0 else 0 for value in shown)
    return "".join(glyphs[level] for level in levels)
