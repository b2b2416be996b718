"""Files and commits that an attempt wrote and that are not part of its work, with the reason."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.model.ids import TaskId

MOST_PATHS = 20
"""The maximum number of recorded paths of one kind; further ones are only counted."""
_SHOWN_PATHS = 3


class Why(StrEnum):
    """The reason why something that an attempt wrote does not land."""

    IGNORED = "ignored"  # by `.gitignore` or the user's own ignore rules
    CLONE = "clone"  # a repository of its own with a remote, or a worktree of one
    HISTORY = "history"  # the commits of a repository that the attempt created; the files land
    COMMITS = "commits"  # in a submodule; the pointer lands
    EDITS = "edits"  # uncommitted changes in a submodule
    REFUSED = "refused"  # a name that git does not store, or an unreadable file
    EMPTY = "empty"  # folders without a file
    SPECIAL = "special"  # a pipe, socket or device in place of a tracked file
    READER = "reader"  # new files of a task that declares to write none
    STASH = "stash"  # changes on its stash
    LEFT = "left"  # commits on a branch other than the final one, or on none


_ARE = {
    Why.IGNORED: "{is_} ignored by git",
    Why.CLONE: "{is_} a repository of its own",
    Why.HISTORY: "{was} a repository of its own: its files count as work, its history does not",
    Why.COMMITS: "has commits of its own, to which the landed pointer leads",
    Why.EDITS: "has changes that were not committed in the submodule",
    Why.REFUSED: "can't be stored by git",
    Why.EMPTY: "{holds} no file, and git stores no empty folder",
    Why.SPECIAL: "{was} replaced by a pipe, a socket or a device, so it lands as removed",
    Why.READER: "{is_} new, and the task declares `writes: []`",
    Why.STASH: "{was} stashed and not taken out again",
    Why.LEFT: "{holds} commits that are not in the files it left",
}


class Unlanded(Struct, frozen=True):
    """Unlanded things of one kind. `paths` are the first of them; a folder ends in a slash.

    `kept` is the folder or the ref that keeps them; empty if nothing does, for the reason in
    `detail`.
    """

    why: Why
    paths: tuple[str, ...]
    count: int
    kept: str = ""
    detail: str = ""

    @property
    def listed(self) -> str:
        """Return the paths for a person, the first ones by name."""
        shown = self.paths[:_SHOWN_PATHS]
        more = self.count - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")

    @property
    def is_worthless(self) -> bool:
        """Return whether dropping them loses nothing."""
        return self.why is Why.EMPTY


def unlanded(why: Why, paths: list[str], kept: str = "", detail: str = "") -> Unlanded:
    """Return the record of some paths, of which the first are named."""
    return Unlanded(why, tuple(paths[:MOST_PATHS]), len(paths), kept, detail)


def told(task: TaskId, found: Unlanded) -> str:
    """Return one notice for a person."""
    is_one = found.count == 1
    what = _ARE[found.why].format(
        is_="is" if is_one else "are",
        was="was" if is_one else "were",
        holds="holds" if is_one else "hold",
    )
    if found.why is Why.SPECIAL:
        return f"{task}: {found.listed} {what}."
    if found.kept:
        fate = f"kept in {found.kept}" if found.kept.startswith("/") else f"kept as {found.kept}"
    else:
        fate = f"not kept{f' ({found.detail})' if found.detail else ''}"
    landed = "" if found.why in {Why.COMMITS, Why.HISTORY} else "not landed, "
    return f"{task}: {found.listed} {what}; {landed}{fate}."


def why_nothing(found: tuple[Unlanded, ...]) -> str:
    """Return why a task that wrote all this has nothing to land; empty when it wrote nothing."""
    kinds = {one.why for one in found if not one.is_worthless}
    if not kinds:
        return ""
    listed = ", ".join(one.listed for one in found if not one.is_worthless)
    if kinds == {Why.IGNORED}:
        return f"all it wrote is ignored by git: {listed}"
    return f"nothing it wrote can land: {listed}"
