"""Merge markers that a commit brings into files: a conflict that somebody left unsettled.

Only whole conflicts count (`<<<<<<<`, `=======`, `>>>>>>>`, in this order), and only files that
have more of them than in the parent. A file whose `.gitattributes` set another
`conflict-marker-size` may hold such lines as its text.
"""

import os

from pex_tui.adapters.git.attributes import Attributes
from pex_tui.adapters.git.cli import Git
from pex_tui.adapters.git.objects import read_blobs
from pex_tui.core.ids import CommitId

_SIZE = "conflict-marker-size"
_USUAL = frozenset({"unspecified", "unset", "set", "7"})
_MARKERS = (b"<<<<<<<", b"=======", b">>>>>>>")
_LENGTH = 7


async def files_with_markers(git: Git, attributes: Attributes, commit: CommitId) -> tuple[str, ...]:
    """Files in which the single-parent commit leaves merge markers; raise GitError."""
    suspects = await _suspects(git, commit)
    if not suspects:
        return ()
    names = [oid for _, old, new in suspects for oid in (old, new) if oid.strip("0")]
    contents = dict(zip(names, await read_blobs(git, names), strict=True))
    left = [
        path
        for path, old, new in suspects
        if _conflicts(contents[new]) > _conflicts(contents.get(old, b""))
    ]
    return await _of_usual_size(attributes, commit, left) if left else ()


async def _suspects(git: Git, commit: CommitId) -> list[tuple[str, str, str]]:
    """Path, old and new blob of each text with a first marker among its changed lines."""
    answer = await git.run(
        *("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--diff-filter=AM"),
        *("--no-ext-diff", "--no-textconv", "-G^<<<<<<<( |\r|$)", f"{commit}^", commit),
    )
    tokens = os.fsdecode(answer.stdout).split("\0")[:-1]
    found = []
    for head, path in zip(tokens[::2], tokens[1::2], strict=True):
        _, _, old, new, _ = head.split(" ")
        found.append((path, old, new))
    return found


def _conflicts(content: bytes) -> int:
    """How many whole conflicts a text holds."""
    seen, found = 0, 0
    for line in content.splitlines():
        if line[:_LENGTH] == _MARKERS[seen] and line[_LENGTH : _LENGTH + 1] in {b"", b" "}:
            seen = (seen + 1) % len(_MARKERS)
            found += seen == 0
    return found


async def _of_usual_size(
    attributes: Attributes, commit: CommitId, paths: list[str]
) -> tuple[str, ...]:
    git = await attributes.git_for(commit)
    told = os.fsdecode((await git.run("check-attr", "-z", _SIZE, "--", *paths)).stdout).split("\0")
    sizes = dict(zip(told[::3], told[2::3], strict=False))
    return tuple(path for path in paths if sizes.get(path, "unspecified") in _USUAL)
