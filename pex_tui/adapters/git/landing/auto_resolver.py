"""Resolve conflicts that ort leaves: by an earlier resolution, or by a strategy.

Paths that a side renamed, removed or changed in type, and paths with a merge driver, are never
resolved automatically.
"""

import asyncio
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.capture.merge_markers import MarkerCheck
from pex_tui.adapters.git.landing.resolution_cache import ResolutionCache
from pex_tui.adapters.git.landing.resolved_tree import resolved_tree
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.merge_tree import TreeMerge, UnmergedPath, entries_at
from pex_tui.adapters.git.plumbing.objects import read_blobs
from pex_tui.core.globs.globs import matches
from pex_tui.core.landing.auto_resolution import remembered_words
from pex_tui.core.model.conflict import REMEMBERED, ConflictPath, Decision
from pex_tui.core.textmerge.auto_strategies import read_conflict, resolve_text
from pex_tui.core.textmerge.conflict_markers import marked_sides
from pex_tui.core.textmerge.diff3 import Chunk, versions
from pex_tui.core.textmerge.leftover_markers import markers_left

_REGULAR = ("100644", "100755")
_MOST_PATHS = 500  # more than that is not for rules to decide
_KINDS = ("content", "add/add")
_PLAIN = ("unspecified", "set", "text")  # values of the attribute `merge` that name no driver


class UnmergedText(Struct, frozen=True):
    """A conflict between two edits of one text, in chunks, with the file's marker length."""

    unmerged: UnmergedPath
    parts: tuple[Chunk, ...]
    marker_size: int

    @property
    def path(self) -> str:
        """The path of the text."""
        return self.unmerged.path

    def has_markers(self, text: bytes) -> bool:
        """Return whether a resolving text has conflict markers that no version has."""
        return bool(markers_left(text, versions(self.parts), size=self.marker_size, resolves=True))


class AutoResolver(Struct, frozen=True):
    """Combines versions: by an earlier resolution, `silent` strategies, or strategies by path.

    Resolves only if something `judges` the outcome.
    """

    check: MarkerCheck
    silent: tuple[str, ...] = ()
    by_path: tuple[tuple[str, tuple[str, ...]], ...] = ()
    cache: ResolutionCache | None = None
    judges: bool = False

    async def resolve(
        self, merge: TreeMerge, index: Path
    ) -> tuple[str, tuple[ConflictPath, ...]] | None:
        """Return the tree with every conflict resolved, and how; None unless all are resolved.

        `index` is a scratch file. Raises GitError, LandingError.
        """
        readable = await self.readable(merge) if self.judges else []
        if not readable or len(readable) < len(merge.conflicts):
            return None
        told = []
        contents: dict[str, bytes | None] = {}
        for one in readable:
            resolved = await asyncio.to_thread(self._resolve_text, one)
            if resolved is None:
                return None
            told.append(resolved[0])
            contents[one.path] = resolved[1]
        tree = await resolved_tree(self.check, merge, Decision.EDITED, contents, index)
        return tree, tuple(told)

    async def proposals(self, merge: TreeMerge) -> dict[str, tuple[bytes, str]]:
        """Return people's earlier resolutions of the same conflicts, by path, with author and time.

        Raises GitError.
        """
        found = {}
        for one in await self.readable(merge) if self.cache else ():
            recalled = await asyncio.to_thread(self._recall, one)
            if recalled is not None:
                found[one.path] = (recalled[1], remembered_words(recalled[0]))
        return found

    async def remember(self, merge: TreeMerge, resolved: str, by: str) -> None:
        """Remember a resolution of the merge's conflicts; raise GitError, OSError."""
        if self.cache is None:
            return
        readable = await self.readable(merge)
        made = await entries_at(self._git, resolved, [one.path for one in readable])
        files = {path: side.oid for path, side in made.items() if side.mode in _REGULAR}
        texts = dict(zip(files, await read_blobs(self._git, [*files.values()]), strict=True))
        for one in readable:
            text = texts.get(one.path)
            if text is not None and not one.has_markers(text):
                await asyncio.to_thread(self.cache.keep, one.path, one.parts, text, by)

    @property
    def _git(self) -> Git:
        return self.check.git

    def _resolve_text(self, one: UnmergedText) -> tuple[ConflictPath, bytes] | None:
        """Return how a conflict is resolved and the file's content.

        A person's resolution takes precedence.
        """
        recalled = self._recall(one)
        if recalled is not None:
            return recalled
        here = [
            strategy
            for strategy, globs in self.by_path
            if any(matches(glob, one.path) for glob in globs)
        ]
        found = resolve_text(one.parts, (*self.silent, *here))
        if found is None or one.has_markers(found.text):
            return None
        return ConflictPath(one.path, one.unmerged.kind, strategies=found.strategies), found.text

    def _recall(self, one: UnmergedText) -> tuple[ConflictPath, bytes] | None:
        """Return the remembered resolution; forget one that contains conflict markers."""
        found = self.cache.recall(one.path, one.parts) if self.cache else None
        if self.cache is None or found is None:
            return None
        text, known = found
        if one.has_markers(text):
            self.cache.forget(one.path, one.parts)
            return None
        how = (REMEMBERED,)
        return ConflictPath(
            one.path, one.unmerged.kind, strategies=how, by=known.by, at=known.at
        ), text

    async def readable(self, merge: TreeMerge) -> list[UnmergedText]:
        """Return the conflicts between two edits of one text, in chunks that agree with git's."""
        edits = await self._edits(merge)
        merged = await entries_at(self._git, merge.tree, [conflict.path for conflict in edits])
        edits = [conflict for conflict in edits if conflict.path in merged]
        named = {side.oid for conflict in edits for side in conflict.sides}
        oids = sorted(named | {side.oid for side in merged.values()})
        blobs = dict(zip(oids, await read_blobs(self._git, oids), strict=True))
        sizes = await self.check.sizes(merge.tree, [conflict.path for conflict in edits])
        found = []
        for conflict in edits:
            base, work, tip = (
                None if side is None else blobs[side.oid]
                for side in (conflict.base, conflict.work, conflict.tip)
            )
            text = blobs[merged[conflict.path].oid]
            parts = await asyncio.to_thread(_read, (base, work or b"", tip or b""), text, merge)
            if parts is not None:
                found.append(UnmergedText(conflict, parts, sizes[conflict.path]))
        return found

    async def _edits(self, merge: TreeMerge) -> list[UnmergedPath]:
        """Return conflicts on paths with a file on both sides, whether it is old or new."""
        found = [conflict for conflict in merge.conflicts if _is_edit(conflict)]
        if not 0 < len(found) <= _MOST_PATHS or not await self._has_no_default_driver():
            return []
        paths = [conflict.path for conflict in found]
        tips = await entries_at(self._git, merge.tip, paths)
        works = await entries_at(self._git, merge.work, paths)
        base = await self._git.text("merge-base", merge.tip, merge.work)
        bases = await entries_at(self._git, base, paths)
        drivers = await self._drivers(merge, paths)
        return [
            conflict
            for conflict in found
            if drivers.get(conflict.path) in _PLAIN
            and tips.get(conflict.path) == conflict.tip
            and works.get(conflict.path) == conflict.work
            and (conflict.path in bases) == (conflict.base is not None)
        ]

    async def _drivers(self, merge: TreeMerge, paths: list[str]) -> dict[str, str]:
        """Return the `merge` attribute of each path."""
        git = await self.check.attributes.git_for(merge.tip_tree)
        stdin = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
        answer = await git.run("check-attr", "-z", "--stdin", "merge", stdin=stdin)
        tokens = answer.stdout.decode("utf-8", "surrogateescape").split("\0")
        return dict(zip(tokens[::3], tokens[2::3], strict=False))

    async def _has_no_default_driver(self) -> bool:
        answer = await self._git.run("config", "--get", "merge.default", ok=(0, 1))
        return answer.text in {"", "text"}


def _is_edit(conflict: UnmergedPath) -> bool:
    modes = {side.mode for side in conflict.sides}
    return (
        conflict.kind in _KINDS
        and conflict.tip is not None
        and conflict.work is not None
        and len(modes) == 1
        and modes <= {*_REGULAR}
        and conflict.places == (conflict.path,)
    )


def _read(
    versions: tuple[bytes | None, bytes, bytes], marked: bytes, merge: TreeMerge
) -> tuple[Chunk, ...] | None:
    """Split the versions into chunks; return None if git places the conflicts differently."""
    parts = read_conflict(*versions)
    text = marked.decode("utf-8", "surrogateescape")
    sides = marked_sides(text, merge.tip, merge.work)
    if parts is None or sides is None:
        return None
    tip = "".join(line for part in parts for line in _side(part, part.theirs))
    work = "".join(line for part in parts for line in _side(part, part.ours))
    # Git ends a side's last line before a marker.
    seen = tuple("".join(side).removesuffix("\n") for side in sides)
    return parts if seen == (tip.removesuffix("\n"), work.removesuffix("\n")) else None


def _side(part: Chunk, side: tuple[str, ...]) -> tuple[str, ...]:
    return side if part.is_conflict else part.merged[0]
