"""Sparklines of the latest measurements."""

from collections.abc import Sequence


def sparkline(values: Sequence[float], width: int, most: float, glyphs: str) -> str:
    """Return the newest values as at most `width` columns; `most` fills a column."""
    top = len(glyphs) - 1
    shown = values[-width:]
    levels = (min(top, max(0, round(value / most * top))) if most > 0 else 0 for value in shown)
    return "".join(glyphs[level] for level in levels)
