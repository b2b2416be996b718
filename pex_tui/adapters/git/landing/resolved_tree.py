"""Read the sides of a conflict, and build the tree that resolves it."""

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.capture.merge_markers import MarkerCheck
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.merge_tree import (
    SUBMODULE,
    SYMLINK,
    Side,
    TreeMerge,
    UnmergedPath,
    entries_at,
)
from pex_tui.adapters.git.plumbing.objects import read_blobs
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.sanitize import clean
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.ports import LandingError

_REGULAR = ("100644", "100755")
_SNIFFED_BYTES = 8000  # git looks this far for a NUL before it calls a file binary


class Labels(Struct, frozen=True):
    """Names of the sides in conflict markers, as people know them."""

    tip: str
    work: str


async def read_sides(
    check: MarkerCheck, merge: TreeMerge, labels: Labels
) -> tuple[ConflictSides, ...]:
    """Return each path in conflict with the content of its sides; raise GitError."""
    git = check.git
    sizes = await check.sizes(merge.tree, [conflict.path for conflict in merge.conflicts])
    merged = await entries_at(git, merge.tree, [conflict.path for conflict in merge.conflicts])
    wanted = {side.oid for conflict in merge.conflicts for side in conflict.sides}
    wanted |= {side.oid for side in merged.values()}
    submodules = {
        side.oid for conflict in merge.conflicts for side in conflict.sides if _is_submodule(side)
    } | {side.oid for side in merged.values() if _is_submodule(side)}
    names = sorted(wanted - submodules)
    blobs = dict(zip(names, await read_blobs(git, names), strict=True))
    blobs |= {oid: f"Subproject commit {oid}\n".encode() for oid in submodules}
    return tuple(
        ConflictSides(
            path=conflict.path,
            kind=conflict.kind,
            base=_content(conflict.base, blobs),
            ours=_content(conflict.work, blobs),
            theirs=_content(conflict.tip, blobs),
            merged=_merged_text(conflict, merged.get(conflict.path), blobs, merge, labels),
            marker_size=sizes[conflict.path],
        )
        for conflict in merge.conflicts
    )


async def resolved_tree(
    check: MarkerCheck,
    merge: TreeMerge,
    decision: Decision,
    contents: Mapping[str, bytes | None],
    index: Path,
) -> str:
    """Return the merged tree with every conflict resolved; `index` is a scratch file.

    Raises LandingError if a path is undecided, or a content has conflict markers or cannot replace
    what is there.
    """
    git = check.git
    _refuse_undecided(merge, decision, contents)
    _refuse_outsiders(contents)
    outside = sorted(contents.keys() - {conflict.path for conflict in merge.conflicts})
    present = await entries_at(git, merge.tree, outside)
    await _refuse_markers(check, merge, contents, present)
    removed: dict[str, None] = {}
    placed: dict[str, Side] = {}
    for conflict in merge.conflicts:
        removed |= dict.fromkeys((*conflict.places, conflict.path) if conflict.places else ())
        if conflict.path not in contents:
            side = conflict.work if decision is Decision.OURS else conflict.tip
        else:
            side = await _edited(git, conflict, contents[conflict.path])
        if side is not None:
            placed[conflict.path] = side
    for path in outside:
        removed[path] = None
        known = UnmergedPath(path, "content", work=present.get(path))
        side = await _edited(git, known, contents[path])
        if side is not None:
            placed[path] = side
    return await _write(git, merge.tree, removed, placed, index)


def _refuse_undecided(
    merge: TreeMerge, decision: Decision, contents: Mapping[str, bytes | None]
) -> None:
    if decision not in {Decision.OURS, Decision.THEIRS, Decision.EDITED}:
        raise LandingError(f"A conflict can't be resolved by `{decision}`: that makes no commit.")
    undecided = [
        clean(conflict.path)
        for conflict in merge.conflicts
        if conflict.sides and conflict.path not in contents
    ]
    if decision is Decision.EDITED and undecided:
        raise LandingError(
            f"Not every conflict is decided: {', '.join(undecided)}. Give each a content, or "
            "choose ours or theirs for it."
        )


async def _refuse_markers(
    check: MarkerCheck,
    merge: TreeMerge,
    contents: Mapping[str, bytes | None],
    present: Mapping[str, Side],
) -> None:
    """Raise LandingError for contents with conflict markers that no version of the file has."""
    texts = {path: content for path, content in contents.items() if content is not None}
    named = {path: [side.oid] for path, side in present.items() if not _is_submodule(side)}
    named |= {
        conflict.path: [side.oid for side in conflict.sides if not _is_submodule(side)]
        for conflict in merge.conflicts
        if conflict.path in texts
    }
    oids = sorted({oid for found in named.values() for oid in found})
    blobs = dict(zip(oids, await read_blobs(check.git, oids), strict=True))
    versions = {path: [blobs[oid] for oid in named.get(path, [])] for path in texts}
    left = await check.in_resolution(merge.tree, texts, versions)
    if left:
        told = ", ".join(f"{clean(path)} (line {line})" for path, line in left.items())
        raise LandingError(
            f"Conflict markers are left in {told}. Decide what the lines between them are to be, "
            "and remove the markers; nothing was resolved."
        )


def _refuse_outsiders(contents: Mapping[str, bytes | None]) -> None:
    """Raise LandingError for paths that git itself would silently omit."""
    for path in contents:
        parts = path.split("/")
        if any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts):
            raise LandingError(f"{clean(path)!r} is not a path of the repository.")


async def _edited(git: Git, conflict: UnmergedPath, content: bytes | None) -> Side | None:
    """Return the side that a person's content equals, else a file like those at the path."""
    if content is None:
        return None
    for side in conflict.sides:
        if _is_submodule(side) and content.split() == [b"Subproject", b"commit", side.oid.encode()]:
            return side
    oid = await git.text("hash-object", "-w", "--stdin", stdin=content)
    for side in conflict.sides:
        if side.oid == oid:
            return side
    modes = [side.mode for side in conflict.sides]
    if modes and all(mode == SUBMODULE for mode in modes):
        raise LandingError(
            f"{clean(conflict.path)} is a submodule and can't be edited: choose ours or theirs."
        )
    usable = [mode for mode in modes if mode in _REGULAR] or [m for m in modes if m == SYMLINK]
    return Side(usable[0] if usable else _REGULAR[0], oid)


async def _write(
    git: Git, tree: str, removed: dict[str, None], placed: dict[str, Side], index: Path
) -> str:
    """Apply the removals to the tree, then the placements, using a scratch index."""
    nothing = "0" * len(tree)
    lines = [f"0 {nothing}\t{path}\0" for path in removed]
    lines += [f"{side.mode} {side.oid} 0\t{path}\0" for path, side in placed.items()]
    env = {"GIT_INDEX_FILE": str(index)}
    stdin = "".join(lines).encode("utf-8", "surrogateescape")
    index.parent.mkdir(parents=True, exist_ok=True)
    scratch = (index, index.with_name(f"{index.name}.lock"))
    for file in scratch:  # a crash may have left them
        file.unlink(missing_ok=True)
    try:
        await git.run("read-tree", tree, env=env)
        # With --replace, a file takes the place of a directory, and vice versa.
        await git.run("update-index", "--replace", "-z", "--index-info", stdin=stdin, env=env)
        return (await git.run("write-tree", env=env)).text
    finally:
        for file in scratch:
            file.unlink(missing_ok=True)


def _merged_text(
    conflict: UnmergedPath,
    merged: Side | None,
    blobs: dict[str, bytes],
    merge: TreeMerge,
    labels: Labels,
) -> bytes | None:
    is_merged = conflict.kind == ConflictKind.PROTECTED
    sides = (merged,) if is_merged else (conflict.tip, conflict.work, merged)
    if merged is None or not all(side and side.mode in _REGULAR for side in sides):
        return None
    text = blobs[merged.oid]
    if conflict.kind == "binary" or b"\0" in text[:_SNIFFED_BYTES]:
        return None
    return _relabel(_relabel(text, merge.tip, labels.tip), merge.work, labels.work)


def _relabel(text: bytes, commit: str, label: str) -> bytes:
    """Replace the commit id in conflict markers by a label for people."""
    words = label.encode("utf-8", "replace").replace(b"\\", rb"\\")
    return re.sub(rb"(?m)^([<>]+) %s" % commit.encode(), rb"\g<1> " + words, text)


def _content(side: Side | None, blobs: dict[str, bytes]) -> bytes | None:
    return None if side is None else blobs[side.oid]


def _is_submodule(side: Side) -> bool:
    return side.mode == SUBMODULE
