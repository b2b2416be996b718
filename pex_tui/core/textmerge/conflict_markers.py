"""Parser of texts with git's conflict markers: the two sides, and the conflicting lines."""

import re

from pex_tui.core.textmerge.diff3 import Lines, split_lines


def marked_sides(text: str, first: str, second: str) -> tuple[Lines, Lines] | None:
    """Return the text resolved to each side; the labels of the sides are given.

    None when the markers are indistinguishable from the text between them.
    """
    begin = re.compile(rf"(<{{7,}}) {re.escape(first)}\b.*\r?\n")
    sides: tuple[list[str], list[str]] = ([], [])
    size, at = 0, 0  # marker size of the current conflict; 0 and 1 for a side, 2 for the base
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
    """Return the range of lines in conflict in the text of the first side, if there is one."""
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
