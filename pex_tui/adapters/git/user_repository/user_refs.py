"""The user's branches, tags and remote-tracking refs, as shown to a workspace.

They are read again only if a folder of refs has changed.
"""

import asyncio
import os
import time
from pathlib import Path

from msgspec import Struct, field

from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.core.model.run_refs import BRANCHES, ROOT

# Our own refs, and those that belong to a single checkout of the user.
_NOT_SHOWN = (f"{ROOT}/", f"{BRANCHES}/", "refs/stash", "refs/bisect/", "refs/worktree/")
_TICK_NS = 100_000_000  # within one tick of the kernel's clock, two changes look like one

Trace = tuple[tuple[str, int, int], ...]


class ShownRefs(Struct, frozen=True):
    """Refs by name: the object of each, and the target of symbolic ones."""

    objects: dict[str, str]
    symbolic: dict[str, str]

    @property
    def packed(self) -> str:
        """Return the refs in the format of `packed-refs`."""
        lines = (f"{oid} {name}\n" for name, oid in self.objects.items())
        return "# pack-refs with: sorted \n" + "".join(lines)


class UserRefs(Struct):
    """The refs of one repository."""

    git: Git
    _known: ShownRefs | None = None
    _trace: Trace | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def shown(self) -> ShownRefs:
        """Return the current refs; raise GitError or OSError."""
        async with self._asking:
            looked_at = time.time_ns()
            trace = await asyncio.to_thread(_look, self.git.git_dir)
            if self._known is None or trace is None or trace != self._trace:
                self._known = await self._ask()
                is_stable = trace and max(time for _, time, _ in trace) < looked_at - _TICK_NS
                self._trace = trace if is_stable else None
            return self._known

    async def _ask(self) -> ShownRefs:
        listing = await self.git.text(
            "for-each-ref", "--format=%(objectname) %(refname) %(symref)", "refs/"
        )
        objects, symbolic = {}, {}
        for line in listing.split("\n") if listing else ():
            oid, name, target = line.split(" ", 2)
            if name.startswith(_NOT_SHOWN):
                continue
            if target:
                symbolic[name] = target
            else:
                objects[name] = oid
        return ShownRefs(objects, symbolic)


def _look(git_dir: Path) -> Trace | None:
    """Return when each folder of the user's refs last changed; None if refs are elsewhere."""
    if (git_dir / "reftable").is_dir():
        return None
    found = [_trace(os.fspath(git_dir / "packed-refs"))]
    stack = [os.fspath(git_dir / "refs")]
    while stack:
        folder = stack.pop()
        found.append(_trace(folder))
        stack += [
            entry.path
            for entry in os.scandir(folder)
            if entry.is_dir(follow_symlinks=False) and not _is_ours(folder, entry.name)
        ]
    return tuple(found)


def _is_ours(folder: str, name: str) -> bool:
    return name == "pex" and folder.endswith(("/refs", "/refs/heads"))


def _trace(path: str) -> tuple[str, int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116  # one for each folder of refs, at each start
    except OSError:
        return path, 0, 0
    return path, found.st_mtime_ns, found.st_ino
