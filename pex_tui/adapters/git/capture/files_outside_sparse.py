"""Files that a sparse checkout leaves out: absent from the disk, but not deleted.

Once such a file is on disk, it counts like any other. Otherwise only the agent's index shows if it
was changed or deleted: a merge changes such files only there, as does `git rm --sparse`.
"""

import asyncio
from contextlib import suppress

from msgspec import Struct

from pex_tui.adapters.git.capture.agent_git_state import AgentGit
from pex_tui.adapters.git.isolation.object_transfer import bring_over
from pex_tui.adapters.git.plumbing.filesystem import exists
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.shadow_index import (
    IndexEntry,
    ListedEntry,
    ShadowIndex,
    parse_listing,
)
from pex_tui.core.model.ids import CommitId

_SUBMODULE = "160000"


class FilesOutsideSparse(Struct, frozen=True):
    """`absent` are entries without a file, as the agent has them; `gone` are deleted paths."""

    absent: tuple[IndexEntry, ...] = ()
    gone: tuple[str, ...] = ()


async def find_files_outside(shadow: ShadowIndex, agent: AgentGit) -> FilesOutsideSparse:
    """Return what the agent did to files that its checkout or ours leaves out; raise GitError."""
    if not (shadow.is_narrowed or agent.is_narrowed):
        return FilesOutsideSparse()
    ours, theirs = await shadow.listed(), await agent.listed()
    if ours == theirs:
        return FilesOutsideSparse()
    # Only differences between the two indexes are looked at: there may be very many files.
    mine, yours, has_common = await asyncio.to_thread(_differences, ours, theirs)
    root = shadow.root
    absent = [
        one.entry for one in yours.values() if one.is_left_out and not exists(root / one.path)
    ]
    new = [one for one in absent if one.path not in mine or mine[one.path].entry != one]
    contents = [CommitId(one.oid) for one in new if one.mode != _SUBMODULE]
    if contents:
        # A missing object shows when the index is written, unless a remote has it.
        with suppress(GitError):
            await bring_over(agent.git, agent.worktree.git_dir, contents)
    kept = {entry.path for entry in absent}
    missing = [path for path, one in mine.items() if one.is_left_out and path not in kept]
    if not missing or not theirs or not agent.is_its_own:
        return FilesOutsideSparse(tuple(absent))
    seen = await agent.seen() if not yours.keys().isdisjoint(missing) else frozenset[str]()
    # An index rebuilt from the files on disk says nothing about the others.
    is_known = has_common or bool(absent) or agent.went_whole
    gone = [path for path in missing if (path in seen if path in yours else is_known)]
    return FilesOutsideSparse(tuple(absent), tuple(gone))


def _differences(
    ours: bytes, theirs: bytes
) -> tuple[dict[str, ListedEntry], dict[str, ListedEntry], bool]:
    """Return entries only in the first index, only in the second, and if both omit a file."""
    mine, yours = set(ours.split(b"\0")), set(theirs.split(b"\0"))
    has_common = any(line.startswith(b"S ") for line in mine & yours)
    return parse_listing(mine - yours), parse_listing(yours - mine), has_common
