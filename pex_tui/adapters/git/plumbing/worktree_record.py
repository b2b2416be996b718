"""The record of a workspace: a JSON file beside its folder, out of agents' reach.

After a crash, the next engine learns from it which attempt has which folder.
"""

import json
from collections.abc import Collection
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import Struct

from pex_tui.adapters.git.plumbing.filesystem import is_folder
from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.engine.attempt import AttemptKey

_VERSION = 1


class Worktree(Struct, frozen=True):
    """A workspace: a work tree with a repository of its own in `git_dir`.

    `commit` is the commit of the last reset, None unless the reset was finished. `setup` is the
    fingerprint of the setup that ran here and `products` are the files that it made. `included` are
    files copied from the user's checkout. `untracked` are all untracked paths at hand-over, folders
    ending in a slash; neither belongs to the task.
    """

    path: Path
    git_dir: Path
    commit: CommitId | None = None
    attempt: AttemptKey | None = None
    setup: str | None = None
    products: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    included_source: str = ""
    included_copy: str = ""
    untracked: tuple[str, ...] = ()

    @property
    def is_linked(self) -> bool:
        """True for a linked worktree of the user's repository, as version 0.1 made them."""
        return self.git_dir != self.path / ".git"

    @property
    def is_ready(self) -> bool:
        """True if it was fully prepared and its folder exists.

        A link in its place does not count.
        """
        return self.commit is not None and is_folder(self.path)

    @property
    def record(self) -> Path:
        """The file that holds this record."""
        return _beside(self.path, ".json")

    @property
    def shadow(self) -> Path:
        """A git directory of ours for this folder, which no agent's git uses."""
        return _beside(self.path, ".shadow")

    @property
    def glance(self) -> Path:
        """A copy of the shadow, for a look while the attempt is live."""
        return _beside(self.path, ".glance")

    @property
    def overlap_index(self) -> Path:
        """A copy of the shadow that follows the attempt's work, for overlap detection."""
        return _beside(self.path, ".radar")

    @property
    def places(self) -> tuple[Path, ...]:
        """The folders that belong to it, besides `users` and `record`."""
        beside = (self.shadow, self.glance, self.overlap_index, _beside(self.path, ".modules"))
        return (self.path, *beside)

    @property
    def users(self) -> Path:
        """A folder with an empty file for each attempt that reads here."""
        return _beside(self.path, ".users")


def save(worktree: Worktree) -> None:
    """Write the record atomically."""
    key = worktree.attempt
    content = {
        "version": _VERSION,
        "git_dir": str(worktree.git_dir),
        "commit": worktree.commit,
        "attempt": [key.run, key.task, key.attempt] if key else None,
        "setup": worktree.setup,
        "products": worktree.products,
        "included": worktree.included,
        "included_source": worktree.included_source,
        "included_copy": worktree.included_copy,
        "untracked": worktree.untracked,
    }
    write_whole(worktree.record, json.dumps(content).encode())


def load(path: Path) -> Worktree | None:
    """Load the record of the worktree at the path; None if there is none."""
    record = _beside(path, ".json")
    return _parse(record) if is_folder(path) else None


def load_all(folder: Path) -> list[Worktree]:
    """Load all of our worktrees in a folder, by name."""
    found = (load(record.with_suffix("")) for record in sorted(folder.glob("*.json")))
    return [worktree for worktree in found if worktree is not None]


def unused_path(folder: Path, taken: Collection[Path]) -> Path:
    """Return the path in the folder with the lowest number that is free."""
    return next(path for number in count(1) if (path := folder / str(number)) not in taken)


def _parse(record: Path) -> Worktree | None:
    """Parse a record; an unreadable one counts as missing, so that the folder is rebuilt."""
    try:
        content: dict[str, Any] = json.loads(record.read_text("utf-8"))
        if content["version"] != _VERSION:
            return None
        attempt = content["attempt"]
        return Worktree(
            path=record.with_suffix(""),
            git_dir=Path(content["git_dir"]),
            commit=CommitId(content["commit"]) if content["commit"] else None,
            attempt=AttemptKey(RunId(attempt[0]), TaskId(attempt[1]), attempt[2])
            if attempt
            else None,
            setup=content["setup"],
            products=tuple(content["products"]),
            included=tuple(content["included"]),
            included_source=content.get("included_source", ""),
            included_copy=content.get("included_copy", ""),
            untracked=tuple(content["untracked"]),
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
