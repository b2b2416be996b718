"""Commit a work tree as it is, and keep the commit under a ref."""

import asyncio
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.capture.nested_repositories import NestedWork, histories, nested_work
from pex_tui.adapters.git.capture.oversized_files import ASIDE, LEFT_OUT, set_aside
from pex_tui.adapters.git.plumbing.git_runner import Git, GitError
from pex_tui.adapters.git.plumbing.ref_writer import write_refs
from pex_tui.adapters.git.plumbing.shadow_index import Changes, IndexEntry, ShadowIndex
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.unlanded import Why

# A new file beyond this size is not source code: the object store would keep it for good.
HUGE_BYTES = 100 * 1024 * 1024
_KEEP_ATTEMPTS = 3


class Extras(Struct, frozen=True):
    """Paths that a snapshot includes besides changed and new files, and paths that it leaves out.

    `foreign` are paths, and folders ending in a slash, that are never included when new; `forced`
    are included though ignored. Of the files that a sparse checkout leaves out, `absent` are
    entries to include without a file and `gone` are deleted paths. New files that are too large for
    git, and histories of repositories whose files are included, move to the folder of the
    `attempt`; without one they stay.
    """

    foreign: frozenset[str] = frozenset()
    forced: tuple[str, ...] = ()
    absent: tuple[IndexEntry, ...] = ()
    gone: tuple[str, ...] = ()
    attempt: Path | None = None


class Snapshot(Struct, frozen=True):
    """A commit on the start commit, and the paths in which it differs; both paths of a rename."""

    commit: CommitId
    files: tuple[str, ...]


class Label(Struct, frozen=True):
    """The labels of a snapshot: its commit message, its ref and its committer.

    `identity` holds git's variables for author and committer.
    """

    message: str
    ref: str
    identity: Mapping[str, str]


class Work(Struct, frozen=True):
    """The paths of a task's work: removed, changed and new.

    `huge` are new files that are too large for git, `scaffolds` repositories whose files are new.
    """

    gone: list[str]
    changed: list[str]
    new: list[str]
    huge: list[str]
    scaffolds: list[str]


async def select_work(shadow: ShadowIndex, extras: Extras) -> Work:
    """Select the changes of a work tree that go into a snapshot; raise GitError."""
    changes = await shadow.changes()
    nested = await nested_work(shadow.git, shadow.root, changes.nested)
    return await asyncio.to_thread(_sort_out, shadow.root, changes, nested, extras)


def _sort_out(root: Path, changes: Changes, nested: NestedWork, extras: Extras) -> Work:
    absent = {entry.path for entry in extras.absent}
    gone = [path for path in changes.removed if path not in absent]
    gone += extras.gone
    gone += [path for path in changes.changed if not _is_storable(root / path)]
    new = [path for path in (*changes.new, *nested.paths) if not is_foreign(path, extras.foreign)]
    new += [path for path in extras.forced if path not in extras.foreign]
    new = list(dict.fromkeys(new))
    return Work(
        gone,
        [path for path in changes.changed if _is_storable(root / path)],
        [path for path in new if _is_storable(root / path) and not _is_huge(root / path)],
        [path for path in new if _is_huge(root / path)],
        nested.scaffolds,
    )


async def keep_snapshot(shadow: ShadowIndex, extras: Extras, label: Label) -> Snapshot | None:
    """Commit the work tree as it is on the start commit; return None if nothing changed.

    Raises GitError. Until the ref exists, a `git gc --prune=now` of the user may delete the new
    objects: the snapshot is checked for missing objects afterwards and repeated if there are any.
    """
    for attempt in range(1, _KEEP_ATTEMPTS + 1):
        await _stage(shadow, extras)
        try:
            return await _commit_staged(shadow, label)
        except GitError:
            if attempt == _KEEP_ATTEMPTS:
                raise
            await shadow.forget_index()  # it may name objects that are gone
    raise AssertionError  # the last attempt has returned or raised


async def _stage(shadow: ShadowIndex, extras: Extras) -> None:
    """Update the shadow's index from the work tree, including files that were made unreadable."""
    await asyncio.to_thread(_open_folders, shadow.root)
    work = await select_work(shadow, extras)
    if extras.attempt is not None:
        await asyncio.to_thread(_set_aside, shadow.root, work, extras.attempt)
    await shadow.remove(work.gone)
    await shadow.put(extras.absent)  # without a mark that a reset would obey
    await asyncio.to_thread(_make_readable, shadow.root, [*work.changed, *work.new])
    await shadow.add([*work.changed, *work.new])


def _open_folders(root: Path) -> None:
    """Give the owner access to all folders: git skips folders that it may not enter.

    Git stores no mode of folders, and of files only the executable bit.
    """
    waiting = [os.fspath(root)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and entry.name != ".git":
                    _permit(entry.path, stat.S_IRWXU)
                    waiting.append(entry.path)


def _make_readable(root: Path, paths: list[str]) -> None:
    for path in paths:
        if not (root / path).is_symlink():
            _permit(os.fspath(root / path), stat.S_IRUSR)


def _permit(path: str, bits: int) -> None:
    """Add permissions for the owner; a failure shows where the path is read."""
    with suppress(OSError):
        mode = stat.S_IMODE(os.lstat(path).st_mode)
        if mode & bits != bits:
            Path(path).chmod(mode | bits)


def _set_aside(root: Path, work: Work, attempt: Path) -> None:
    set_aside(root, work.huge, attempt / LEFT_OUT)
    set_aside(root, histories(root, work.scaffolds), attempt / ASIDE / Why.HISTORY)


async def _commit_staged(shadow: ShadowIndex, label: Label) -> Snapshot | None:
    tree = await shadow.tree()
    files = await changed_paths(shadow.git, shadow.start, tree)
    if not files:
        return None
    answer = await shadow.git.run(
        *("-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, "-p", shadow.start, "-F", "-"),
        stdin=label.message.replace("\0", "").encode("utf-8", "replace"),
        env=label.identity,
    )
    commit = CommitId(answer.text)
    await write_refs(shadow.git, {label.ref: commit})
    await shadow.git.run("rev-list", "--objects", "--quiet", commit, f"^{shadow.start}")
    return Snapshot(commit, files)


async def changed_paths(git: Git, old: str, new: str) -> tuple[str, ...]:
    """Return the paths that differ between two trees or commits; both paths of a rename."""
    answer = await git.run("diff-tree", "-r", "-z", "--no-renames", "--name-only", old, new)
    return tuple(path for path in os.fsdecode(answer.stdout).split("\0") if path)


def _is_huge(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > HUGE_BYTES


def _is_storable(path: Path) -> bool:
    """Return whether git stores such a path: a pipe, a socket or a device has no content."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)


def is_foreign(path: str, foreign: frozenset[str]) -> bool:
    """Return whether the path, or a folder above it (ending in a slash), is one of those."""
    if path in foreign:
        return True
    end = path.find("/")
    while end != -1:
        if path[: end + 1] in foreign:
            return True
        end = path.find("/", end + 1)
    return False
