"""Globs over repository paths: `*`, `?` and `[a-z]` within a segment, `**` across, `{a,b}` choices.

Matching is case-sensitive, as in git, and a wildcard matches a leading dot. A pattern that ends in
a slash matches everything below it; a pattern that ends in a plain name matches that path and
everything below it. Two patterns overlap only if some path matches both; for overlaps, a name that
looks like a file (`README.md`, `Makefile`) has nothing below it unless the other pattern says so.

Implemented here because wcmatch and pathspec cannot intersect two patterns, and matching has to
agree with the intersection. They are slower, too: 89 and 52 ms for 10,000 paths, here 15 ms.
"""

import re
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from pex_tui.core.globs.glob_names import ANY_NAME, Name, name_regex, parse_name, shared_name

DEEP = "**"  # any number of segments
_SPECIAL = frozenset("*?[{")
_MOST_CHOICES = 64  # a pattern with more choices is literal text
_EXTENSION = re.compile(r".+\.[A-Za-z][A-Za-z0-9_]{0,9}")
_FOLDERS_LIKE_FILES = re.compile(r".*\.(d|app|framework|bundle|xcodeproj|xcworkspace|xcassets)")
_BARE_FILES = re.compile(
    r"\.[a-z]*(rc|ignore|attributes|modules|mailmap|env|editorconfig|keep|version)"
    r"|[A-Z]*(LICEN[CS]E|COPYING|NOTICE|README|CHANGELOG|CHANGES|CODEOWNERS|AUTHORS|VERSION)"
    r"|(GNU)?[Mm]akefile|[A-Z][a-z]+file|BUILD|WORKSPACE|gradlew|mvnw"
)
_Segment = Name | str  # the pattern of a name, or DEEP
_Segments = tuple[_Segment, ...]


class Shared(NamedTuple):
    """Two patterns, and a path that both match."""

    first: str
    second: str
    path: str


def matches(pattern: str, path: str) -> bool:
    """Return whether the pattern matches the path (relative to the repository, forward slashes)."""
    return _compiled(pattern).fullmatch(path) is not None


def any_match(patterns: tuple[str, ...], path: str) -> bool:
    """Return whether one of the patterns matches the path; fast for many paths."""
    return _compiled_all(patterns).fullmatch(path) is not None


def overlap(first: str, second: str) -> bool:
    """Return whether some path matches both patterns."""
    return shared_path(first, second) is not None


def shared_path(first: str, second: str) -> str | None:
    """Return a path that matches both patterns; None if there is none."""
    for left, right in zip(plain_start(first), plain_start(second), strict=False):
        if left != right:  # most pairs of a large plan differ here
            return None
    return _shared_path(first, second)


def first_intersection(first: tuple[str, ...], second: tuple[str, ...]) -> Shared | None:
    """Return the first pair of patterns that share a path."""
    for left in first:
        for right in second:
            path = shared_path(left, right)
            if path is not None:
                return Shared(left, right, path)
    return None


@lru_cache(maxsize=4096)
def plain_start(pattern: str) -> tuple[str, ...]:
    """Return the leading segments without wildcards."""
    return tuple(takewhile(_SPECIAL.isdisjoint, _split(pattern)))


def names_a_file(name: str) -> bool:
    """Return whether a plain name looks like a file: an extension, or a well-known name."""
    if _BARE_FILES.fullmatch(name):
        return True
    return bool(_EXTENSION.fullmatch(name)) and not _FOLDERS_LIKE_FILES.fullmatch(name)


@lru_cache(maxsize=4096)
def _shared_path(first: str, second: str) -> str | None:
    for left in _alternatives(_as_named_by(second, first), is_wide=False):
        for right in _alternatives(_as_named_by(first, second), is_wide=False):
            names = _shared_segments(left, right)
            if names:
                return "/".join(names)
    return None


def _as_named_by(other: str, pattern: str) -> str:
    """Return the pattern, as a folder's if the other pattern continues below the same name."""
    path, beyond = _split(pattern), _split(other)
    is_folder = len(beyond) > len(path) and plain_start(other)[: len(path)] == tuple(path)
    return f"{pattern}/" if is_folder else pattern


def _shared_segments(left: _Segments, right: _Segments) -> tuple[str, ...] | None:
    """Search the product of both patterns for the names of a shared path."""
    came_from: dict[tuple[int, int], tuple[tuple[int, int], str] | None] = {(0, 0): None}
    walk = [(0, 0)]
    for spot in walk:
        if spot == (len(left), len(right)):
            return _names_on_the_way(spot, came_from)
        for following, name in _following(left, right, *spot):
            if following not in came_from:
                came_from[following] = (spot, name)
                walk.append(following)
    return None


def _names_on_the_way(
    spot: tuple[int, int], came_from: dict[tuple[int, int], tuple[tuple[int, int], str] | None]
) -> tuple[str, ...]:
    names = []
    step = came_from[spot]
    while step is not None:
        before, name = step
        names += [name] if name else []
        step = came_from[before]
    return tuple(reversed(names))


def _following(
    left: _Segments, right: _Segments, at: int, on: int
) -> list[tuple[tuple[int, int], str]]:
    """Return the positions that follow one more name, or the end of a `**`."""
    one = left[at] if at < len(left) else None
    other = right[on] if on < len(right) else None
    found = []
    if one == DEEP:
        found.append(((at + 1, on), ""))
    if other == DEEP:
        found.append(((at, on + 1), ""))
    if one is not None and other is not None and not one == other == DEEP:
        name = shared_name(_as_name(one), _as_name(other))
        if name is not None:
            found.append(((at + (one != DEEP), on + (other != DEEP)), name))
    return found


def _as_name(segment: _Segment) -> Name:
    return ANY_NAME if isinstance(segment, str) else segment


@lru_cache(maxsize=4096)
def _alternatives(pattern: str, *, is_wide: bool) -> tuple[_Segments, ...]:
    """Return the pattern's expansions; a plain name also matches below if wide or not a file's."""
    found: dict[_Segments, None] = {}
    for text in _choices(pattern):
        words = _split(text)
        segments = tuple(DEEP if word == DEEP else parse_name(word) for word in words)
        is_folder = text.endswith("/")
        if segments and segments[-1] == DEEP:
            segments, is_folder = segments[:-1], True
        if not is_folder:
            found[segments] = None
            is_plain = bool(words) and _SPECIAL.isdisjoint(words[-1])
            is_folder = is_plain and (is_wide or not names_a_file(words[-1]))
        if is_folder:
            found[(*segments, DEEP, ANY_NAME)] = None  # below it, so at least one more name
    return tuple(found)


def _split(pattern: str) -> list[str]:
    return [part for part in pattern.split("/") if part not in {"", "."}]


def _choices(pattern: str) -> list[str]:
    """Expand `{a,b}`; braces without a comma are literal."""
    waiting, found = [pattern], []
    while waiting:
        text = waiting.pop()
        group = _innermost(text)
        if group is None:
            found.append(text)
        else:
            start, stop = group
            waiting += [
                text[:start] + choice + text[stop:]
                for choice in text[start + 1 : stop - 1].split(",")
            ]
        if len(found) + len(waiting) > _MOST_CHOICES:
            return [pattern]
    return found


def _innermost(text: str) -> tuple[int, int] | None:
    """Return the bounds of the first group of choices that contains no other group."""
    group = re.search(r"\{[^{}]*,[^{}]*\}", text)
    return None if group is None else group.span()


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(
        "|".join(_regex(segments) for segments in _alternatives(pattern, is_wide=True)), re.DOTALL
    )


@lru_cache(maxsize=64)
def _compiled_all(patterns: tuple[str, ...]) -> re.Pattern[str]:
    never = "(?!)"
    return re.compile("|".join(_compiled(one).pattern for one in patterns) or never, re.DOTALL)


def _regex(segments: _Segments) -> str:
    """Return a regular expression for whole paths; `**` never ends the pattern."""
    parts = [
        "(?:[^/]+/)*" if isinstance(segment, str) else name_regex(segment) + "/"
        for segment in segments
    ]
    return "(?:" + "".join(parts).removesuffix("/") + ")"
