"""Globs over repository paths: `*` and `?` within a segment, `**` across segments, `[abc]` classes.

A pattern that ends in a slash, like a bare directory name, stands for everything below it.
"""

import re
from functools import lru_cache
from itertools import takewhile

_ANY = "**"
_SPECIAL = frozenset("*?[")


def matches(pattern: str, path: str) -> bool:
    """Whether the path, with forward slashes and relative to the repository, is in the pattern."""
    return _compiled(pattern).fullmatch(path) is not None


def overlap(first: str, second: str) -> bool:
    """Whether some path could be in both patterns."""
    for left, right in zip(plain_start(first), plain_start(second), strict=False):
        if left != right:  # most pairs of a large plan part here
            return False
    return _may_share(first, second)


@lru_cache(maxsize=4096)
def _may_share(first: str, second: str) -> bool:
    return any(
        _segments_meet(left, right) for left in _expanded(first) for right in _expanded(second)
    )


def any_overlap(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, str] | None:
    """The first pair of patterns that could share a path."""
    return next(((left, right) for left in first for right in second if overlap(left, right)), None)


@lru_cache(maxsize=4096)
def plain_start(pattern: str) -> tuple[str, ...]:
    """The leading segments that stand for nothing but themselves."""
    segments = (part for part in pattern.split("/") if part not in {"", "."})
    return tuple(takewhile(_SPECIAL.isdisjoint, segments))


def _expanded(pattern: str) -> tuple[tuple[str, ...], ...]:
    """The pattern's segments, and for a bare name also everything below it."""
    segments = tuple(part for part in pattern.split("/") if part not in {"", "."})
    if pattern.endswith("/"):
        return ((*segments, _ANY),)
    if segments and segments[-1] != _ANY:
        return (segments, (*segments, _ANY))
    return (segments,)


def _segments_meet(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    reached = {(0, 0)}
    stack = [(0, 0)]
    while stack:
        at, on = stack.pop()
        if at == len(left) and on == len(right):
            return True
        for following in _following(left, right, at, on):
            if following not in reached:
                reached.add(following)
                stack.append(following)
    return False


def _following(
    left: tuple[str, ...], right: tuple[str, ...], at: int, on: int
) -> list[tuple[int, int]]:
    """Where the two patterns may stand after one more path segment, or after skipping a `**`."""
    following = []
    if at < len(left) and left[at] == _ANY:
        following.append((at + 1, on))
        if on < len(right) and right[on] != _ANY:
            following.append((at, on + 1))
    if on < len(right) and right[on] == _ANY:
        following.append((at, on + 1))
        if at < len(left) and left[at] != _ANY:
            following.append((at + 1, on))
    plain = at < len(left) and on < len(right) and _ANY not in {left[at], right[on]}
    if plain and _names_meet(left[at], right[on]):
        following.append((at + 1, on + 1))
    return following


@lru_cache(maxsize=4096)
def _names_meet(first: str, second: str) -> bool:
    """Whether one name could match both segment patterns."""
    left, right = _tokens(first), _tokens(second)
    reached = {(0, 0)}
    stack = [(0, 0)]
    while stack:
        at, on = stack.pop()
        if at == len(left) and on == len(right):
            return True
        left_star = at < len(left) and left[at] == "*"
        right_star = on < len(right) and right[on] == "*"
        steps = []
        if left_star:
            steps.append((at + 1, on))
            if on < len(right) and not right_star:
                steps.append((at, on + 1))
        if right_star:
            steps.append((at, on + 1))
            if at < len(left) and not left_star:
                steps.append((at + 1, on))
        both = at < len(left) and on < len(right) and not left_star and not right_star
        if both and _characters_meet(left[at], right[on]):
            steps.append((at + 1, on + 1))
        for step in steps:
            if step not in reached:
                reached.add(step)
                stack.append(step)
    return False


def _tokens(pattern: str) -> list[str]:
    """Single characters, `*`, `?` and whole `[…]` classes."""
    return re.findall(r"\[!?\]?[^\]]*\]|.", pattern, re.DOTALL)


def _characters_meet(left: str, right: str) -> bool:
    left_class, right_class = _is_class(left), _is_class(right)
    if left_class and right_class:
        return True  # two classes are taken to share a character
    if left_class:
        return right == "?" or bool(re.fullmatch(_class_regex(left), right))
    if right_class:
        return left == "?" or bool(re.fullmatch(_class_regex(right), left))
    return "?" in {left, right} or left == right


def _is_class(token: str) -> bool:
    return len(token) > 1


def _class_regex(token: str) -> str:
    negated = token.startswith("[!")
    body = token[2 if negated else 1 : -1].replace("\\", "\\\\").replace("^", "\\^")
    body = body.replace("[", "\\[").replace("]", "\\]")
    return f"[{'^' if negated else ''}{body}]" if _is_valid_range(body) else re.escape(token)


def _is_valid_range(body: str) -> bool:
    try:
        re.compile(f"[{body}]")
    except re.error:
        return False
    return bool(body)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("|".join(_regex(segments) for segments in _expanded(pattern)), re.DOTALL)


def _regex(segments: tuple[str, ...]) -> str:
    """A regular expression for whole paths; `**` at the end wants at least one segment."""
    parts = []
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        if segment == _ANY:
            parts.append(".+" if last else "(?:[^/]+/)*")
        else:
            parts.append(_segment_regex(segment) + ("" if last else "/"))
    return "(?:" + "".join(parts) + ")"


def _segment_regex(segment: str) -> str:
    pieces = {"*": "[^/]*", "?": "[^/]"}
    return "".join(
        pieces.get(token) or (_class_regex(token) if _is_class(token) else re.escape(token))
        for token in _tokens(segment)
    )
