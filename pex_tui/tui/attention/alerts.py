"""Alert the user by the bell, a desktop notification or a lasting message."""

from collections.abc import Mapping

from pex_tui.core.sanitize import clean

_LONGEST = 200
_TITLE = "pex-tui"
_LEAST_SECONDS = 5.0
_READ_PER_SECOND = 12  # characters


def alert(how: str, text: str, environ: Mapping[str, str]) -> str:
    """Return the terminal sequence that alerts its user; empty if `how` is "off".

    "desktop" is a notification by OSC 9, 99 or 777, whichever the terminal supports, else the bell.
    """
    if how == "off":
        return ""
    if how == "bell":
        return "\a"
    words = clean(text, _LONGEST).replace(";", ",")
    program, term = environ.get("TERM_PROGRAM", ""), environ.get("TERM", "")
    if term == "xterm-kitty":
        return f"\x1b]99;;{_TITLE}: {words}\x1b\\"
    if program in {"iTerm.app", "WezTerm"} or "WT_SESSION" in environ:
        return f"\x1b]9;{_TITLE}: {words}\x1b\\"
    if program == "ghostty" or term.startswith(("foot", "rxvt-unicode", "xterm-ghostty")):
        return f"\x1b]777;notify;{_TITLE};{words}\x1b\\"
    return "\a"


def reading_seconds(text: str) -> float:
    """Return how long a message stays on screen so that it can be read."""
    return max(_LEAST_SECONDS, len(text) / _READ_PER_SECOND)
