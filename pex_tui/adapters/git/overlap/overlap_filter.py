"""Find paths on which two change sets may overlap, by the lines they touch.

Git decides in the end.
"""

from collections.abc import Iterator
from itertools import product

from pex_tui.adapters.git.capture.change_set import Range
from pex_tui.engine.overlap_probe import ChangeSet


def may_overlap(first: ChangeSet, second: ChangeSet) -> bool:
    """Return whether a trial merge is worthwhile: merges without a hit here have never failed.

    Files that both changed from the same start count only if the changed lines overlap or touch.
    New, deleted and binary files count as a whole, as do files above or below each other, names
    that differ only in case, and new files in a folder from which the other side removed some,
    because it may have moved the folder.
    """
    return any(True for _ in suspected_paths(first, second)) or _is_moved(first, second)


def suspected_paths(first: ChangeSet, second: ChangeSet) -> Iterator[str]:
    """Yield the paths of the first that may overlap with the second."""
    there = {path.casefold(): path for path in second.files}
    above = {parent for path in there for parent in _parents(path)}
    for path in first.files:
        folded = path.casefold()
        other = there.get(folded)
        if other is not None:
            if other != path or _meet(first, second, path):
                yield path
        elif folded in above or not there.keys().isdisjoint(_parents(folded)):
            yield path


def shared_lines(first: ChangeSet, second: ChangeSet, path: str) -> str:
    """Return the lines of the start in which both changed a file: "10", "10–12".

    Empty without any.
    """
    met = [pair for pair in product(*_lines(first, second, path)) if _touch(*pair)]
    if not met or first.start != second.start:
        return ""
    begin = min(max(left[0], right[0]) for left, right in met)
    return told_lines(begin, max(max(min(left[1], right[1]) - 1, begin) for left, right in met))


def told_lines(begin: int, end: int) -> str:
    """Return the lines in words: "10", "10–12"."""
    return str(begin) if begin == end else f"{begin}–{end}"


def _meet(first: ChangeSet, second: ChangeSet, path: str) -> bool:
    left, right = _lines(first, second, path)
    if first.start != second.start or not left or not right:
        return True
    return any(_touch(*pair) for pair in product(left, right))


def _lines(
    first: ChangeSet, second: ChangeSet, path: str
) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    return first.ranges.get(path, ()), second.ranges.get(path, ())


def _touch(left: Range, right: Range) -> bool:
    """Return whether the ranges overlap or are adjacent."""
    return max(left[0], right[0]) <= min(left[1], right[1])


def _is_moved(first: ChangeSet, second: ChangeSet) -> bool:
    return _meets_gone(first, second) or _meets_gone(second, first)


def _meets_gone(mover: ChangeSet, other: ChangeSet) -> bool:
    """Return whether the other side has a whole-file change in a folder where the mover has one."""
    left = {path.rpartition("/")[0] for path in mover.files if path not in mover.ranges}
    return any(
        folder in left
        for path in other.files
        if path not in other.ranges
        for folder in _parents(path)
    )


def _parents(path: str) -> Iterator[str]:
    """Yield the folders above a path, nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
