"""Durations and shares as reports write them."""


def clock(seconds: float) -> str:
    """Minutes and seconds, below a minute with a tenth: `2:05`, `9.3 s`."""
    if round(seconds, 1) < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(fraction: float | None) -> str:
    """A fraction for a person; unknown is a dash."""
    return "–" if fraction is None else f"{fraction:.0%}"
