"""A tree's `.gitattributes` files in a folder of their own, so that merges obey them.

`merge-tree` reads attributes from the work tree and index that it is given. Those of the user's
checkout would belong to another commit, and without a work tree there would be none: a file marked
`-merge` would be merged line by line.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath

from msgspec import Struct, field
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.objects import read_blobs

_NAME = b".gitattributes"
_REGULAR = (b"100644", b"100755")


class Attributes(Struct, frozen=True):
    """Folders of `.gitattributes` below `root`, one for each distinct set."""

    git: Git
    root: Path
    _of_tree: dict[str, Path] = field(default_factory=dict)

    async def git_for(self, tree: str) -> Git:
        """Return git with the tree's attributes in force and no index."""
        folder = self._of_tree.get(tree)
        if folder is None or not folder.is_dir():
            folder = self._of_tree[tree] = await self._materialise(tree)
        index = str(self.root / "no-index")
        return replace(self.git, work_tree=folder, env={**self.git.env, "GIT_INDEX_FILE": index})

    async def _materialise(self, tree: str) -> Path:
        entries = await self._entries(tree)
        digest = hashlib.sha256(repr(entries).encode()).hexdigest()[:16]
        folder = self.root / digest
        if folder.is_dir():
            return folder
        contents = await read_blobs(self.git, [oid for _, oid in entries])
        _make_whole(folder, {path: raw for (path, _), raw in zip(entries, contents, strict=True)})
        return folder

    async def _entries(self, tree: str) -> list[tuple[str, str]]:
        """Return (path, blob id) of each `.gitattributes` that git itself would read."""
        listing = (await self.git.run("ls-tree", "-r", "-z", tree)).stdout
        entries = []
        for line in listing.split(b"\0"):
            if not line.endswith(_NAME):
                continue
            head, _, raw_path = line.partition(b"\t")
            mode, _, oid = head.split(b" ")
            path = PurePosixPath(os.fsdecode(raw_path))
            if path.name == ".gitattributes" and mode in _REGULAR and ".." not in path.parts:
                entries.append((str(path), oid.decode()))
        return entries


def _make_whole(folder: Path, files: dict[str, bytes]) -> None:
    """Make the folder with all of these files, atomically even if killed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        for path, content in files.items():
            place = fresh / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        fresh.rename(folder)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if not folder.is_dir():  # otherwise another lander was faster
            raise
