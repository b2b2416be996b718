"""Reads a text with git's conflict markers: the two sides it was made of, and where they part."""

import re

from pex_tui.core.textmerge.diff3 import Lines, split_lines


def marked_sides(text: str, first: str, second: str) -> tuple[Lines, Lines] | None:
    """What the text is with every conflict decided for one label's side, and for the other's.

    None when the markers can't be told from the text between them.
    """
    begin = re.compile(rf"(<{{7,}}) {re.escape(first)}\b.*\r?\n")
    sides: tuple[list[str], list[str]] = ([], [])
    size, at = 0, 0  # of the markers of the conflict that we are in; the side, or 2 for the base
    for line in split_lines(text):
        bare = line.rstrip("\r\n")
        found = begin.fullmatch(line)
        if not size and found:
            size, at = len(found[1]), 0
        elif not size:
            sides[0].append(line)
            sides[1].append(line)
        elif found:
            return None
        elif bare == f"{'>' * size} {second}":
            if at != 1:
                return None
            size = 0
        elif bare.startswith("|" * size) and at == 0:
            at = 2
        elif bare == "=" * size:
            if at == 1:
                return None
            at = 1
        elif at < len(sides):
            sides[at].append(line)
    return None if size else (tuple(sides[0]), tuple(sides[1]))


def conflicting_lines(text: str, first: str, second: str) -> tuple[int, int] | None:
    """From which to which line of the first label's side the text is in conflict, if it is."""
    marked = re.compile(
        rf"^<{{7,}} {re.escape(first)}\b[^\n]*\n(?P<side>.*?)^(?:\|{{7,}}.*?^)?={{7,}}\r?\n"
        rf".*?^>{{7,}} {re.escape(second)}\b[^\n]*\n?",
        re.MULTILINE | re.DOTALL,
    )
    line, at = 1, 0
    found: list[int] = []
    for conflict in marked.finditer(text):
        line += text.count("\n", at, conflict.start())
        length = conflict["side"].count("\n")
        found += [line, max(line, line + length - 1)]
        line, at = line + length, conflict.end()
    return (found[0], found[-1]) if found else None
