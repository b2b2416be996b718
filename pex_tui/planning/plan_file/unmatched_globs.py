"""Globs of write sets that match nothing in the repository.

A missing file in an existing folder is expected to be created. A missing folder, a pattern without
matches, and an anagram of an existing name are reported, as they may be typos.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from pex_tui.core.globs.globs import matches, plain_start
from pex_tui.core.model.plan import TaskSpec, UnmatchedGlob
from pex_tui.planning.plan_file.context import PlanContext

_ALIKE = 0.6  # difflib's ratio, 0…1


def unmatched_globs(tasks: Sequence[TaskSpec], context: PlanContext) -> tuple[UnmatchedGlob, ...]:
    """Return the unmatched globs in plan order; none if the repository's files are unknown."""
    if not context.tracked:
        return ()
    return tuple(
        found
        for spec in tasks
        for glob in spec.writes or ()
        for found in _doubts(spec, glob, context)
    )


def _doubts(spec: TaskSpec, glob: str, context: PlanContext) -> Iterator[UnmatchedGlob]:
    start = plain_start(glob)
    path = "/".join(start)
    is_plain = path == glob.removeprefix("./").rstrip("/")
    folder = "/".join(start[:-1]) if is_plain else path
    if folder and folder not in context.folders:
        as_deep = [one for one in context.folders if one.count("/") == folder.count("/")]
        near = get_close_matches(folder, as_deep, n=1, cutoff=_ALIKE)
        rest = glob.removeprefix("./")[len(folder) :]
        yield UnmatchedGlob(spec.id, glob, f"{near[0]}{rest}" if near else "")
    elif is_plain:
        is_there = path in context.tracked or path in context.folders
        anagram = None if is_there else _anagram(path, context)
        if anagram is not None:
            yield UnmatchedGlob(spec.id, glob, anagram)
    elif not any(matches(glob, name) for name in context.tracked):
        yield UnmatchedGlob(spec.id, glob)


def _anagram(path: str, context: PlanContext) -> str | None:
    """Return an existing path with the same letters in another order or case."""
    letters = sorted(path.lower())
    known = (*context.tracked, *context.folders)
    return next((one for one in known if sorted(one.lower()) == letters), None)
