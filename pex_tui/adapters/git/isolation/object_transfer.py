"""Copy commits of a workspace's repository to the user's, complete before any ref names them."""

import os
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from pex_tui.adapters.git.isolation.workspace_repository import quoted_path
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.core.model.ids import CommitId

_NOT_REPLACED = {"GIT_NO_REPLACE_OBJECTS": "1"}


def with_objects_of(git: Git, git_dir: Path) -> Git:
    """Return a git that also sees the objects, and only those, of another git directory."""
    objects = os.fsdecode(quoted_path(git_dir / "objects", ":"))
    more = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": objects, "GIT_NO_LAZY_FETCH": "1"}
    return replace(git, env={**git.env, **more})


async def bring_over(git: Git, git_dir: Path, tips: Iterable[CommitId]) -> None:
    """Copy what the commits need and none of our refs holds; raise GitError if it is incomplete.

    Objects that the other repository borrows from elsewhere are copied as well.
    """
    wanted = "".join(f"{tip}\n" for tip in tips).encode()
    there = with_objects_of(git, git_dir)
    listing = await there.run(
        *("rev-list", "--objects", "--no-object-names", "--stdin", "--not", "--all"),
        stdin=wanted,
        env=_NOT_REPLACED,
    )
    if listing.stdout:
        place = git.git_dir / "objects" / "pack" / "pack"
        await there.run("pack-objects", "-q", str(place), stdin=listing.stdout, env=_NOT_REPLACED)
    await git.run(
        *("rev-list", "--objects", "--quiet", "--stdin", "--not", "--all"),
        stdin=wanted,
        env=_NOT_REPLACED,
    )
