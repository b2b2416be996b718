"""Parsing and formatting of durations, sizes and percentages."""

import re
from decimal import Decimal

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# As in Docker and systemd, a megabyte of memory is 1024² bytes.
BYTES = {"b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3, "tb": 1024**4}
LONGEST_SECONDS = 366 * 86400.0
LARGEST_BYTES = 1024**5

DURATION_PATTERN = r"^\d+(\.\d+)?$|^(\d+(\.\d+)?(ms|s|m|h|d) ?)+$"
SIZE_PATTERN = r"^\d+(\.\d+)? ?([KMGTkmgt]i?[Bb]?|[Bb])$"
PERCENT_PATTERN = r"^\d+(\.\d+)? ?%$"

_DURATION_PART = re.compile(r"(\d{1,12}(?:\.\d{1,20})?)(ms|s|m|h|d) ?", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,20})?", re.ASCII)
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,20})?) ?([kmgt]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_PERCENT = re.compile(r"(\d{1,9}(?:\.\d{1,20})?) ?%", re.ASCII)


def parse_duration(text: str) -> float:
    """Return the seconds of `90s`, `3m`, `1h30m`, `500ms`, or a bare number of seconds.

    Raises ValueError with a message for the user.
    """
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped):
        seconds = float(stripped)
    else:
        parts = _DURATION_PART.findall(stripped)
        if not parts or "".join(_DURATION_PART.split(stripped)[::3]):
            raise ValueError(f'"{text}" is not a valid duration. Write it as 90s, 3m or 1h30m')
        seconds = sum(float(number) * SECONDS[unit] for number, unit in parts)
    if seconds > LONGEST_SECONDS:
        raise ValueError(f'"{text}" is longer than a year. Write a shorter duration')
    return seconds


def parse_size(text: str) -> int:
    """Return the bytes of `512MB`, `2GB`, `1.5 GiB`; a unit is required.

    Raises ValueError with a message for the user.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None or _NUMBER.fullmatch(text.strip()):
        raise ValueError(f'"{text}" is not a valid size. Write it as 512MB or 2GB')
    amount = round(Decimal(match[1]) * BYTES[match[2].lower() + "b"])
    if not 0 < amount <= LARGEST_BYTES:
        raise ValueError(f'"{text}" is out of range. Write a size between 1B and 1024TB')
    return amount


def parse_percent(text: str) -> float:
    """Return the fraction of `20%` (0.2); more than 100% is allowed.

    Raises ValueError with a message for the user.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a valid percentage. Write it as 20% or 150%')
    return float(Decimal(match[1]) / 100)


def format_duration(seconds: float) -> str:
    """Return the shortest text that `parse_duration` reads as exactly these seconds."""
    if seconds != int(seconds) or seconds == 0:
        return f"{_plain(seconds)}s"
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if count
    ]
    return "".join(parts)


def format_size(count: int) -> str:
    """Return the shortest text that `parse_size` reads as exactly this many bytes."""
    for unit in ("tb", "gb", "mb", "kb"):
        if count and count % BYTES[unit] == 0:
            return f"{count // BYTES[unit]}{unit.upper()}"
    return f"{count}B"


def format_percent(fraction: float) -> str:
    """Return the text that `parse_percent` reads as this fraction."""
    return f"{_plain(Decimal(repr(fraction)) * 100)}%"


def _plain(number: float | Decimal) -> str:
    """Return decimal digits without an exponent."""
    return format(Decimal(str(number)).normalize(), "f")
