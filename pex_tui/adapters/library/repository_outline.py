"""Outline a repository: its tracked files, a few configuration files, its hot files.

All of it is bounded, and unreadable parts are left out: a planner needs only hints.
"""

import asyncio
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

import aiofiles
import aiofiles.ospath

from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.tools import CONFIG_FILES, find_ci, find_tools

MOST_FILES = 200_000
_MOST_CONFIG_BYTES = 256 * 1024
_MOST_LISTING_BYTES = 32 * 1024 * 1024
_MOST_LOG_BYTES = 4 * 1024 * 1024
_LOG_SECONDS = 5.0
_COMMITS = "500"
_MOST_HOT = 20
_FEWEST_CHANGES = 2


async def read_outline(repository: Repository) -> RepositoryOutline:
    """Return the outline of the checkout; names that cannot be shown are left out."""
    git = repository.checkout
    files, changed = await asyncio.gather(_tracked(git), _changed(git))
    known = frozenset(files)
    return RepositoryOutline(
        files=files,
        tools=find_tools(files, await _texts(repository.top_level, known)),
        hot=_hottest(changed, known),
        ci=find_ci(files),
    )


async def _tracked(git: Git) -> tuple[str, ...]:
    return await _names(git, "ls-files", "-z", most_bytes=_MOST_LISTING_BYTES)


async def _changed(git: Git) -> tuple[str, ...]:
    """Return the paths of recent commits, once for each change."""
    log = ("log", "--format=", "--name-only", "--no-renames", "-z", "-n", _COMMITS)
    return await _names(git, *log, most_bytes=_MOST_LOG_BYTES)


async def _names(git: Git, *command: str, most_bytes: int) -> tuple[str, ...]:
    """Return names separated by NULs, without the last one, which may be cut off."""
    try:
        listing = await git.run(*command, timeout_seconds=_LOG_SECONDS, most_bytes=most_bytes)
    except GitError:
        return ()
    names = os.fsdecode(listing.stdout).split("\0")[:-1][:MOST_FILES]
    return tuple(name for name in names if name and name.isprintable())


async def _texts(top: Path, known: frozenset[str]) -> dict[str, str]:
    """Return the configuration files' texts, if they are tracked and readable."""
    texts = {}
    for name in CONFIG_FILES:
        path = top / name
        with suppress(OSError):
            if name in known and await aiofiles.ospath.isfile(path):
                async with aiofiles.open(path, "rb") as stream:
                    raw = await stream.read(_MOST_CONFIG_BYTES)
                    texts[name] = raw.decode("utf-8", "replace")
    return texts


def _hottest(changed: tuple[str, ...], known: frozenset[str]) -> tuple[str, ...]:
    """Return the files that change most and still exist."""
    counts = Counter(name for name in changed if name in known)
    return tuple(name for name, count in counts.most_common(_MOST_HOT) if count >= _FEWEST_CHANGES)
