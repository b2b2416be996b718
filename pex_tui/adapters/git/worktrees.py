"""Which branch is checked out where."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.git.cli import Git
from pex_tui.adapters.git.stand_in import user_git


@dataclass(frozen=True, slots=True)
class Checkout:
    """A work tree of the repository; `branch` is a full ref, None with a detached HEAD."""

    path: Path
    branch: str | None


async def checkouts(git: Git) -> list[Checkout]:
    """All work trees, the main one first; those whose folder is gone are left out."""
    listing = await user_git(git).run("worktree", "list", "--porcelain", "-z")
    return [checkout for checkout in _parse(listing.stdout) if checkout.path.is_dir()]


def _parse(listing: bytes) -> Iterator[Checkout]:
    for record in listing.decode("utf-8", "surrogateescape").split("\0\0"):
        fields = dict(line.partition(" ")[::2] for line in record.split("\0") if line)
        if "worktree" in fields and "bare" not in fields:
            yield Checkout(Path(fields["worktree"]), fields.get("branch"))
