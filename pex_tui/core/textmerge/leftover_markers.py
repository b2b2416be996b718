"""Conflict markers in a text: what is left of a conflict that nobody has settled.

A marker is a line of one sign (`<`, `|`, `=` or `>`) as often as the file's marker size says, and a
label after a space, if any. In a text that was made to settle a conflict each such line counts. In
any other, a conflict counts: an opening, a separator and a closing line in this order, of which one
may be missing; a separator alone may underline a heading.
"""

from collections import Counter
from collections.abc import Iterable

USUAL_SIZE = 7
_SNIFFED_BYTES = 8000  # where git looks for a NUL before it calls a file binary
_OPENING, _BASE, _SEPARATOR, _CLOSING = b"<|=>"
_Line = tuple[int, bytes]


def markers_left(
    text: bytes,
    versions: Iterable[bytes] = (),
    *,
    size: int = USUAL_SIZE,
    settles: bool = False,
) -> tuple[int, ...]:
    """Return the numbers (from 1) of the lines that are markers and that no version holds as well.

    `settles` says that the text was made to settle a conflict between the versions.
    """
    find = _all_markers if settles else _conflicts
    held: Counter[bytes] = Counter()
    for version in versions:
        held |= Counter(line for _, line in find(version, size))
    left = []
    for number, line in find(text, size):
        if held[line]:
            held[line] -= 1
        else:
            left.append(number)
    return tuple(left)


def _all_markers(text: bytes, size: int) -> list[_Line]:
    if b"\0" in text[:_SNIFFED_BYTES]:
        return []
    lines = enumerate(text.splitlines(), start=1)
    return [(number, line) for number, line in lines if _sign(line, size) is not None]


def _conflicts(text: bytes, size: int) -> list[_Line]:
    """The markers of the conflicts in a text, those that lack one of their three included."""
    found: list[_Line] = []
    pending: list[_Line] = []  # of the conflict that is being read, with their signs in order
    signs: list[int] = []
    for number, line in _all_markers(text, size):
        sign = line[0]
        if sign == _OPENING or (sign == _SEPARATOR and _SEPARATOR in signs):
            found += pending if _is_conflict(signs) else []
            pending, signs = [], []
        pending.append((number, line))
        signs.append(sign)
        if sign == _CLOSING:
            found += pending if _is_conflict(signs) else []
            pending, signs = [], []
    return [*found, *(pending if _is_conflict(signs) else [])]


def _is_conflict(signs: list[int]) -> bool:
    return len({sign for sign in signs if sign != _BASE}) > 1


def _sign(line: bytes, size: int) -> int | None:
    """Return the sign of a marker line; a separator has no label."""
    sign = line[0] if line else None
    if sign not in {_OPENING, _BASE, _SEPARATOR, _CLOSING} or line[:size] != line[:1] * size:
        return None
    rest = line[size:]
    ends = rest == b"" or (rest[:1] == b" " and sign != _SEPARATOR)
    return sign if ends else None
