"""Refuse texts that would land with conflict markers of their own.

The length that `core.markers` treats as a marker depends on a file's `conflict-marker-size`: a file
with another size may contain lines of the usual length as its text.
"""

import os
from collections.abc import Iterable, Mapping

from msgspec import Struct

from pex_tui.adapters.git.plumbing.attributes import Attributes
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.objects import read_blobs
from pex_tui.core.textmerge.leftover_markers import USUAL_SIZE, markers_left

SIZE_ATTRIBUTE = "conflict-marker-size"
_SUSPICIOUS = "^(<{3,}|>{3,}|={3,})( |\r|$)"
_SUBMODULE = "160000"


class MarkerCheck(Struct, frozen=True):
    """The check of one repository, by the attributes of the checked tree."""

    git: Git
    attributes: Attributes

    async def in_change(self, old: str, new: str) -> tuple[str, ...]:
        """Return files of `new` (tree or commit) with markers that `old` does not have.

        Raises GitError. Text that only moved here, or was copied, does not count.
        """
        suspects = await self._suspects(old, new)
        if not suspects:
            return ()
        sizes = await self.sizes(new, [path for path, _, _ in suspects])
        names = [oid for _, *both in suspects for oid in both if oid.strip("0")]
        contents = dict(zip(names, await read_blobs(self.git, names), strict=True))
        left = {
            path: text
            for path, before, text in suspects
            if markers_left(contents[text], [contents.get(before, b"")], size=sizes[path])
        }
        known = await self._blobs_of(old) if left else frozenset()
        return tuple(path for path, text in left.items() if text not in known)

    async def in_resolution(
        self, tree: str, texts: Mapping[str, bytes], versions: Mapping[str, Iterable[bytes]]
    ) -> dict[str, int]:
        """Return the first marker line of each text that was to resolve a conflict, by path.

        Raises GitError.
        """
        sizes = await self.sizes(tree, [*texts])
        left = {
            path: markers_left(texts[path], versions[path], size=sizes[path], resolves=True)
            for path in texts
        }
        return {path: lines[0] for path, lines in left.items() if lines}

    async def sizes(self, tree: str, paths: list[str]) -> dict[str, int]:
        """Return the length of a conflict marker in each of the paths, by the tree's attributes."""
        git = await self.attributes.git_for(tree)
        stdin = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
        answer = await git.run("check-attr", "-z", "--stdin", SIZE_ATTRIBUTE, stdin=stdin)
        told = os.fsdecode(answer.stdout).split("\0")
        return {path: marker_size(word) for path, word in zip(told[::3], told[2::3], strict=False)}

    async def _suspects(self, old: str, new: str) -> list[tuple[str, str, str]]:
        """Return path, old and new blob of each text with a possible marker among its changes."""
        answer = await self.git.run(
            *("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "-M", "--diff-filter=AMRT"),
            *("--no-ext-diff", "--no-textconv", "--text", f"-G{_SUSPICIOUS}", old, new),
        )
        tokens = iter(os.fsdecode(answer.stdout).split("\0")[:-1])
        found = []
        for head in tokens:
            _, mode, before, text, status = head.split(" ")
            path = next(tokens)
            path = next(tokens) if status.startswith("R") else path
            if mode != _SUBMODULE:
                found.append((path, before, text))
        return found

    async def _blobs_of(self, tree: str) -> frozenset[str]:
        listing = await self.git.text("ls-tree", "-r", "--format=%(objectname)", tree)
        return frozenset(listing.split("\n"))


def marker_size(word: str) -> int:
    """Return the size that an attribute's value asks for."""
    return int(word) if word.isascii() and word.isdigit() and int(word) else USUAL_SIZE
