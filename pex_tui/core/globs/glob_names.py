"""Patterns for one path segment, as sequences of character sets: matching and intersection."""

import re
from functools import lru_cache

Characters = tuple[tuple[int, int], ...]
"""Disjoint inclusive ranges of code points, in ascending order."""

Name = tuple[Characters | None, ...]
"""One set for each character; None stands for any number of arbitrary characters."""

_LAST = 0x10FFFF
_SLASH, _DOT = ord("/"), ord(".")
_NICE = "xyzabcdefghijklmnopqrstuvwXYZABC0123456789_-"
_CLASS = re.compile(r"\[[!^]?(?:\][^\]]*|[^\]]+)\]|.", re.DOTALL)
_RANGE = re.compile(r"(.)-(.)|.", re.DOTALL)

ANY: Characters = ((1, _SLASH - 1), (_SLASH + 1, _LAST))  # a path never holds a NUL
ANY_NAME: Name = (None,)


@lru_cache(maxsize=4096)
def parse_name(pattern: str) -> Name:
    """Parse the pattern of one segment; an unclosed character class is literal text."""
    found: list[Characters | None] = []
    for sign in _CLASS.findall(pattern):
        if sign == "*":
            if not found or found[-1] is not None:
                found.append(None)
        elif sign == "?":
            found.append(ANY)
        else:
            found.append(_class(sign) if len(sign) > 1 else ((ord(sign), ord(sign)),))
    return tuple(found)


def _class(sign: str) -> Characters:
    body = sign[1:-1]
    negated = len(body) > 1 and body[0] in "!^"
    ranges = [
        (ord(first or single), ord(last or single))
        for part in _RANGE.finditer(body[1:] if negated else body)
        for first, last, single in ((part.group(1), part.group(2), part.group(0)),)
    ]
    merged = _merged([(low, high) for low, high in ranges if low <= high])
    return _both(ANY, _complement(merged) if negated else merged)


def _merged(ranges: list[tuple[int, int]]) -> Characters:
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def _complement(ranges: Characters) -> Characters:
    edges = [-1, *(edge for pair in ranges for edge in pair), _LAST + 1]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return tuple((low + 1, high - 1) for low, high in gaps if low + 1 <= high - 1)


def _both(first: Characters, second: Characters) -> Characters:
    met = ((max(one[0], other[0]), min(one[1], other[1])) for one in first for other in second)
    return tuple(sorted((low, high) for low, high in met if low <= high))


def name_regex(name: Name) -> str:
    """Return a regular expression for the names that the pattern matches."""
    return "".join("[^/]*" if characters is None else _set_regex(characters) for characters in name)


def _set_regex(characters: Characters) -> str:
    if not characters:
        return "(?!)"
    return "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in characters) + "]"


@lru_cache(maxsize=4096)
def shared_name(first: Name, second: Name) -> str | None:
    """Return a name that both patterns match, with every `*` filled in where possible."""
    return _walk(_filled(first), _filled(second)) or _walk(first, second)


def _filled(name: Name) -> Name:
    return tuple(
        one for characters in name for one in ((ANY, None) if characters is None else (characters,))
    )


_Spot = tuple[int, int, int]
"""A position in each pattern, and the length of a name of only dots so far (3: any other name)."""

_NAMED = 3


def _walk(left: Name, right: Name) -> str | None:
    """Search the product of both patterns breadth first; `.` and `..` are not file names."""
    came_from: dict[_Spot, tuple[_Spot, str] | None] = {(0, 0, 0): None}
    walk = [(0, 0, 0)]
    for spot in walk:
        if spot == (len(left), len(right), _NAMED):
            return _spelled(spot, came_from)
        for following, character in _steps(left, right, spot):
            if following not in came_from:
                came_from[following] = (spot, character)
                walk.append(following)
    return None


def _spelled(spot: _Spot, came_from: dict[_Spot, tuple[_Spot, str] | None]) -> str:
    found = []
    step = came_from[spot]
    while step is not None:
        found.append(step[1])
        step = came_from[step[0]]
    return "".join(reversed(found))


def _steps(left: Name, right: Name, spot: _Spot) -> list[tuple[_Spot, str]]:
    at, on, dots = spot
    found: list[tuple[_Spot, str]] = []
    if at < len(left) and left[at] is None:
        found.append(((at + 1, on, dots), ""))
    if on < len(right) and right[on] is None:
        found.append(((at, on + 1, dots), ""))
    if at == len(left) or on == len(right):
        return found
    one, other = left[at], right[on]
    after = (at + (one is not None), on + (other is not None))
    both = _both(ANY if one is None else one, ANY if other is None else other)
    plain = _both(both, ((0, _DOT - 1), (_DOT + 1, _LAST)))
    if plain:
        found.append(((*after, _NAMED), _nicest(plain)))
    if plain != both:
        found.append(((*after, min(dots + 1, _NAMED)), "."))
    return found


def _nicest(characters: Characters) -> str:
    held = (one for one in _NICE if any(low <= ord(one) <= high for low, high in characters))
    return next(held, chr(characters[0][0]))
