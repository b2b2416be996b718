"""The changes in a worktree so far, as an unreferenced commit and the ranges of changed lines."""

import os
import re
from collections.abc import Iterator
from itertools import pairwise

from pex_tui.adapters.git.capture.snapshot import Extras, select_work
from pex_tui.adapters.git.plumbing.objects import synthetic_commit
from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex
from pex_tui.engine.overlap_probe import ChangeSet

Range = tuple[int, int]

_MOST_BYTES = 8 * 1024 * 1024  # of diff output; beyond it only paths are compared
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? ", re.MULTILINE)
_FILE = re.compile(rb"^diff --git ", re.MULTILINE)
_MODIFIED = "M"


async def take_change_set(
    shadow: ShadowIndex, extras: Extras, before: ChangeSet | None
) -> ChangeSet:
    """Bring the shadow up to the work tree; return `before` itself if nothing has changed since.

    The shadow's index must be as the change set `before` left it. Raises GitError.
    """
    work = await select_work(shadow, extras)
    if before is not None and not (work.gone or work.changed or work.new or extras.absent):
        return before
    await shadow.remove(work.gone)
    await shadow.leave_out(extras.absent)
    await shadow.add([*work.changed, *work.new])
    tree = await shadow.tree()
    if before is not None and tree == before.tree:
        return before
    commit = await synthetic_commit(shadow.git, tree, shadow.start)
    answer = await shadow.git.run(
        *("diff-tree", "-r", "-z", "--raw", "-p", "-U0", "--no-renames", "--no-color"),
        *("--no-ext-diff", "--no-textconv", "--submodule=short", shadow.start, tree),
        most_bytes=_MOST_BYTES,
    )
    if len(answer.stdout) > _MOST_BYTES:  # truncated, perhaps in the middle of a path
        answer = await shadow.git.run(
            *("diff-tree", "-r", "-z", "--raw", "--no-renames", shadow.start, tree)
        )
    entries, patch = _entries(answer.stdout)
    ranges = dict(_ranges(entries, patch)) if patch else {}
    return ChangeSet(shadow.start, commit, tree, tuple(path for path, _ in entries), ranges)


def _entries(output: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Return the (path, status) of each file, and the patch after them."""
    entries = []
    at = 0
    while output[at : at + 1] == b":":
        status_end = output.index(b"\0", at)
        path_end = output.index(b"\0", status_end + 1)
        status = output[at:status_end].rsplit(b" ", 1)[-1].decode()
        entries.append((os.fsdecode(output[status_end + 1 : path_end]), status[:1]))
        at = path_end + 1
    return entries, output[at:].lstrip(b"\0")


def _ranges(
    entries: list[tuple[str, str]], patch: bytes
) -> Iterator[tuple[str, tuple[Range, ...]]]:
    """Yield the changed lines of each file that was text before and still is."""
    starts = [found.start() for found in _FILE.finditer(patch)]
    if len(starts) != len(entries):  # git printed less, or more, than is understood here
        return
    stretches = pairwise([*starts, len(patch)])
    for (path, status), (start, end) in zip(entries, stretches, strict=True):
        hunks = tuple(map(_range, _HUNK.finditer(patch, start, end)))
        if status == _MODIFIED and hunks:
            yield path, hunks


def _range(hunk: re.Match[bytes]) -> Range:
    """Return the half-open range of lines; an insertion after line n is at n + 1."""
    first, count = int(hunk[1]), 1 if hunk[2] is None else int(hunk[2])
    return (first, first + count) if count else (first + 1, first + 1)
