"""Progress of an agent, read from the end of its log."""

import os
import re
from pathlib import Path

from pex_tui.core.sanitize import clean_bytes
from pex_tui.engine.attempt import Progress

TAIL_BYTES = 4096
_ACTIVITY_LIMIT = 200

# ConEmu's progress sequence, a count at the start of a line (ninja), pytest's percentage at its
# end.
_SIGNS = re.compile(
    rb"\x1b\]9;4;(?P<state>\d)(?:;(?P<percent>\d{1,3}))?(?:\x07|\x1b\\)"
    rb"|^(?:\x1b\[[\d;]*m)*\[(?P<done>\d{1,9})/(?P<total>\d{1,9})\]"
    rb"|\[ {0,2}(?P<share>\d{1,3})%\](?:\x1b\[[\d;]*[mK]|[ \t])*$",
    re.MULTILINE,
)


class LogTail:
    """The end of one log; each look reads at most a few KiB, nothing if the log is unchanged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        self._told = Progress(None, "")

    def look(self) -> Progress | None:
        """Return the progress, if it has changed since the last look."""
        tail = self._read()
        if not tail:
            return None
        lines = tail.replace(b"\r", b"\n")
        now = Progress(
            _fraction(lines, self._told.fraction), _activity(lines) or self._told.activity
        )
        if now == self._told:
            return None
        self._told = now
        return now

    def _read(self) -> bytes:
        """Return the last bytes if the log has changed, without a truncated first line."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            size = os.fstat(descriptor).st_size
            if size == self._size:
                return b""
            self._size = size
            tail = os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES))
        finally:
            os.close(descriptor)
        rest = tail.partition(b"\n")[2] if size > TAIL_BYTES else tail
        return rest if rest.strip() else tail


def _fraction(lines: bytes, before: float | None) -> float | None:
    """Return the latest sign of progress, 0…1, or the previous one if there is none."""
    latest = before
    for sign in _SIGNS.finditer(lines):
        latest = _value(sign, latest)
    return latest


def _value(sign: re.Match[bytes], before: float | None) -> float | None:
    state, percent, done, total, share = sign.group("state", "percent", "done", "total", "share")
    if state in {b"0", b"3"}:  # removed, or indeterminate
        return None
    numerator, denominator = (done, int(total)) if total else (percent or share, 100)
    if numerator is None or not int(numerator) <= denominator != 0:
        return before
    return int(numerator) / denominator


def _activity(lines: bytes) -> str:
    """Return the last line with visible text."""
    for line in reversed(lines.split(b"\n")):
        shown = clean_bytes(line, _ACTIVITY_LIMIT).strip()
        if shown:
            return shown
    return ""
