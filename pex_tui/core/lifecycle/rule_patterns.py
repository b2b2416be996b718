"""Matching of a rule's pattern with a command that may be partly unknown."""

import re
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import cache

from pex_tui.core.shell.nested_commands import runs_of
from pex_tui.core.shell.scanner import HOLE

_TOKENS = re.compile(r"\*|\?|\[!?\]?[^]]*\]|.", re.DOTALL)
_QUOTES = re.compile(r"\\\n|[\\'\"]")


class Concern(IntEnum):
    """The certainty that a rule applies."""

    NO = 0
    UNCERTAIN = 1  # unknown, and nothing suggests it
    YES = 2  # it applies, or the known part of the command suggests it


def concern(pattern: str, line: str) -> Concern:
    """Return how surely the pattern applies to anything that the line runs."""
    pattern, runs = _plain(pattern), runs_of(line)
    every = runs.commands | runs.doubtful
    if any(_is_about(pattern, command) for command in every):
        return Concern.YES
    told = _mention(pattern)
    if told is not None and any(told.search(text) for text in runs.code):
        return Concern.YES
    points = _is_mentioned(pattern, line)
    if points and (runs.is_suspect or any(_may_be_about(pattern, one) for one in every)):
        return Concern.YES
    is_open = any(_may_be_about(pattern, command) for command in runs.commands)
    if is_open or not runs.is_known:
        return Concern.YES if points else Concern.UNCERTAIN
    is_said = told is not None and any(told.search(text) for text in runs.said)
    is_renamed = any(_may_be_about(pattern, command) for command in runs.aliases)
    return Concern.UNCERTAIN if is_said or is_renamed else Concern.NO


def covers(pattern: str, line: str) -> bool:
    """Return whether the pattern covers the whole line: one plain command and no more."""
    plain = runs_of(line).plain
    return plain is not None and _is_about(_plain(pattern), plain)


@cache
def _plain(pattern: str) -> str:
    """Return the pattern with single spaces; `git push:*`, as in Claude Code, is `git push *`."""
    text = f"{pattern.removesuffix(':*')} *" if pattern.endswith(":*") else pattern
    return " ".join(text.split()) or "*"


def _variants(pattern: str) -> tuple[str, ...]:
    """Return the pattern's variants: one that ends in any arguments also matches without any."""
    bare = pattern.removesuffix(" *")
    return (pattern,) if bare == pattern else (pattern, bare)


def _is_about(pattern: str, command: str) -> bool:
    return any(fnmatchcase(command, variant) for variant in _variants(pattern))


def _may_be_about(pattern: str, command: str) -> bool:
    if HOLE not in command:
        return False
    return any(_overlap(variant, command) for variant in _variants(pattern))


def _overlap(pattern: str, command: str) -> bool:
    """Return whether the pattern and the command, with its holes as wildcards, share a text."""
    tokens = _TOKENS.findall(pattern)
    places = _closed({0}, tokens)
    for char in command:
        if not places:
            return False
        if char == HOLE:
            places = set(range(min(places), len(tokens) + 1))
            continue
        stepped = set()
        for place in places:
            wanted = tokens[place] if place < len(tokens) else ""
            if wanted == "*":
                stepped.add(place)
            elif wanted in {char, "?"} or len(wanted) > 1:
                stepped.add(place + 1)
        places = _closed(stepped, tokens)
    return len(tokens) in places


def _closed(places: set[int], tokens: list[str]) -> set[int]:
    """Return the positions, including those reached by empty stars."""
    closed = set(places)
    for place in range(len(tokens)):
        if place in closed and tokens[place] == "*":
            closed.add(place + 1)
    return closed


@cache
def _literals(pattern: str) -> tuple[str, ...]:
    """Return the words before the first glob, without marks at their edges."""
    words = []
    for word in pattern.split():
        if re.search(r"[*?\[]", word):
            break
        words.append(re.sub(r"^\W+|\W+$", "", word.rpartition("/")[2]))
    return tuple(word for word in words if word)


@cache
def _mention(pattern: str) -> re.Pattern[str] | None:
    """Return an expression for texts that contain the pattern's words one after the other."""
    words = _literals(pattern)
    named = r"\W+".join(map(re.escape, words))
    return re.compile(rf"(?<!\w){named}(?!\w)") if words else None


def _is_mentioned(pattern: str, line: str) -> bool:
    """Return whether any word of the pattern is in the line, or the pattern has none."""
    bare = _QUOTES.sub("", line)
    words = _literals(pattern)
    return not words or any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", bare) for word in words)
