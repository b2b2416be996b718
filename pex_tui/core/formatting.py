"""Durations, sizes and commits formatted for people."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

Amount = TypeVar("Amount", int, float)

UNKNOWN = "–"  # an en dash for an unknown figure
_MINUTE = 60
_HOUR = 3600
_KIBI = 1024


def clock(seconds: float) -> str:
    """Format seconds as `m:ss` or `h:mm:ss`; negative ones are 0:00."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, _MINUTE)
    if whole < _HOUR:
        return f"{minutes}:{rest:02}"
    return f"{whole // _HOUR}:{minutes % _MINUTE:02}:{rest:02}"


def spoken(seconds: float) -> str:
    """Format seconds as `45s`, `3m 45s` or `1h 3m 45s`; negative ones are 0s."""
    minutes, rest = divmod(max(0, int(seconds)), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    shown = f"{minutes}m {rest}s" if hours or minutes else f"{rest}s"
    return f"{hours}h {shown}" if hours else shown


def counted(number: int, noun: str) -> str:
    """Format a count with its noun: `1 file`, `3 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Join the first names, with the number of further ones: `a, b, c and 2 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def size(amount: int) -> str:
    """Format bytes with a binary unit, in at most four figures: `512M`, `1.5G`."""
    value, unit = float(amount), "B"
    for larger in "KMGT":
        if value < _KIBI:
            break
        value, unit = value / _KIBI, larger
    return f"{value:.1f}{unit}" if unit in "GT" and value < 10 else f"{value:.0f}{unit}"  # noqa: PLR2004


def percent(fraction: float | None) -> str:
    """Format a fraction as whole percent, rounded down; a dash when unknown."""
    return UNKNOWN if fraction is None else f"{int(fraction * 100 + 1e-9)}%"


def short(commit: str | None) -> str:
    """Return the first seven characters of a commit."""
    return "" if commit is None else commit[:7]


def tokens(amount: int) -> str:
    """Format a number of model tokens in at most four figures: `950`, `12k`, `1.2M`."""
    if amount < 10_000:  # noqa: PLR2004  # in full
        return str(amount)
    return f"{amount / 1e3:.0f}k" if amount < 1e6 else f"{amount / 1e6:.1f}M"  # noqa: PLR2004


def total(amounts: Iterable[Amount | None]) -> Amount | None:
    """Return the sum of the known amounts; None if none is known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
