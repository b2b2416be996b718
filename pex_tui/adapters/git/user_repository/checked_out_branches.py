"""The branches that are checked out, and the work trees that have them."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.stand_in_directory import user_git


class Checkout(Struct, frozen=True):
    """A work tree of the repository; `branch` is a full ref, None with a detached HEAD.

    The main one belongs to the repository itself: git only guesses its path. A bare repository has
    none.
    """

    path: Path
    branch: str | None
    is_main: bool = False


async def checkouts(git: Git) -> list[Checkout]:
    """Return all work trees, the main one first, without those whose folder is gone."""
    listing = await user_git(git).run("worktree", "list", "--porcelain", "-z")
    return [checkout for checkout in _parse(listing.stdout) if checkout.path.is_dir()]


def _parse(listing: bytes) -> Iterator[Checkout]:
    records = listing.decode("utf-8", "surrogateescape").split("\0\0")
    for number, record in enumerate(records):
        fields = dict(line.partition(" ")[::2] for line in record.split("\0") if line)
        if "worktree" in fields and "bare" not in fields:
            yield Checkout(Path(fields["worktree"]), fields.get("branch"), number == 0)
