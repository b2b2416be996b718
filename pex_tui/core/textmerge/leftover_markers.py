"""Detection of conflict markers left in a text.

A marker is a line of one sign (`<`, `|`, `=` or `>`), repeated as often as the file's marker size
says, with an optional label after a space. In a text made to resolve a conflict every such line
counts. In any other text only a conflict counts: an opening, a separator and a closing line in this
order, of which one may be missing; a separator alone may underline a heading.
"""

from collections import Counter
from collections.abc import Iterable

USUAL_SIZE = 7
_SNIFFED_BYTES = 8000  # git looks for a NUL in this many bytes to recognise a binary file
_OPENING, _BASE, _SEPARATOR, _CLOSING = b"<|=>"
_Line = tuple[int, bytes]


def markers_left(
    text: bytes,
    versions: Iterable[bytes] = (),
    *,
    size: int = USUAL_SIZE,
    resolves: bool = False,
) -> tuple[int, ...]:
    """Return the line numbers (from 1) of the markers that no version contains as well.

    `resolves` says that the text was made to resolve a conflict between the versions.
    """
    find = _all_markers if resolves else _conflicts
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
    """Return the markers of a text's conflicts, including those that lack one of three."""
    found: list[_Line] = []
    pending: list[_Line] = []  # markers of the conflict being read, in order
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
