"""Files in a worktree that are not in the snapshot: moved beside the attempt's log and reported.

At this point the shadow's index holds the snapshot. A path that git still calls untracked is
ignored, is a repository of its own, or has a name or content that git cannot store. A reset deletes
all of them.
"""

import asyncio
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins

from pex_tui.adapters.git.capture.oversized_files import ASIDE, copy, set_aside
from pex_tui.adapters.git.capture.snapshot import is_foreign
from pex_tui.adapters.git.plumbing.filesystem import is_folder
from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE
from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex
from pex_tui.adapters.git.plumbing.worktree_record import Worktree
from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.formatting import size
from pex_tui.core.model.unlanded import Unlanded, Why, unlanded

# Ignored files beyond this size are reported but not kept: they are build output.
MOST_IGNORED_BYTES = 100 * 1024 * 1024
_RECORD = "found.json"
_PRECIOUS = (Why.CLONE, Why.HISTORY, Why.REFUSED)
# Caches that tools leave behind; they are neither kept nor reported.
_CACHES = (
    *("__pycache__", "*.pyc", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
    *(".coverage", ".tox", ".nox", ".venv", "venv", "*.egg-info", "node_modules", ".npm", ".yarn"),
    *(".gradle", ".next", ".nuxt", ".turbo", ".parcel-cache", ".cache", ".terraform", ".direnv"),
    *(".DS_Store", ".idea", "*.swp"),
)
_CACHE_NAMES = frozenset(name for name in _CACHES if "*" not in name)
_CACHE_MARK = "CACHEDIR.TAG"  # bford.info/cachedir


class WorktreeBaseline(Struct, frozen=True):
    """Files in a worktree from before its attempt began, and those that a reset leaves alone.

    `foreign` are paths, and folders ending in a slash; `since_ns` is the start of the attempt in
    nanoseconds; `keep` are patterns of paths that a reset leaves alone.
    """

    foreign: frozenset[str] = frozenset()
    since_ns: int = 0
    keep: tuple[str, ...] = ()


def baseline_of(worktree: Worktree, keep: tuple[str, ...] = ()) -> WorktreeBaseline:
    """Return what was in the worktree when it was handed over; raise OSError."""
    foreign = frozenset((*worktree.included, *worktree.untracked))
    return WorktreeBaseline(foreign, worktree.record.stat().st_mtime_ns, keep)


def aside_folder(attempt: Path) -> Path:
    """Return the folder for what was set aside of the attempt with that folder."""
    return attempt / ASIDE


def has_precious(run_folder: Path) -> bool:
    """Return whether an attempt of the run has set aside what may be the only copy of work."""
    return any(any(run_folder.glob(f"*/*/{ASIDE}/{why}/*")) for why in _PRECIOUS)


async def put_aside(
    shadow: ShadowIndex, baseline: WorktreeBaseline, folder: Path
) -> tuple[Unlanded, ...]:
    """Move files that are not in the snapshot into the folder; return them with their new places.

    Includes what an earlier, interrupted call found. Raises GitError or OSError.
    """
    found = await untracked_paths(shadow, *(f"--exclude={name}" for name in baseline.keep))
    entries = [name for name in found if not is_foreign(name, baseline.foreign)]
    ignored = set(await _ignored(shadow)) if entries else set()
    special = await _special(shadow)
    aside = await asyncio.to_thread(_Aside(shadow.root, baseline, folder).sort, entries, ignored)
    return (*aside, *([unlanded(Why.SPECIAL, special)] if special else []))


async def _special(shadow: ShadowIndex) -> list[str]:
    """Return tracked paths that are now neither a file nor a link nor a folder."""
    removed = await shadow.git.run(
        *(*WHOLE_TREE, "diff-index", "--cached", "-z", "--name-only", "--diff-filter=D"),
        shadow.start,
    )
    names = [name for name in os.fsdecode(removed.stdout).split("\0") if name]
    return [name for name in names if _is_special(shadow.root / name)]


def _is_special(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode))


async def untracked_paths(shadow: ShadowIndex, *options: str) -> list[str]:
    """Return paths unknown to the index, without tools' caches; unknown folders end in a slash.

    `options` are those of `git ls-files`. Raises GitError.
    """
    return await _listed(shadow, *(f"--exclude={name}" for name in _CACHES), *options)


async def _ignored(shadow: ShadowIndex) -> list[str]:
    return await _listed(shadow, "--ignored", "--exclude-standard")


async def _listed(shadow: ShadowIndex, *options: str) -> list[str]:
    answer = await shadow.git.run(
        *(*WHOLE_TREE, "ls-files", "-z", "--others", "--directory", *options)
    )
    return [name for name in os.fsdecode(answer.stdout).split("\0") if name]


class _Aside(Struct, frozen=True):
    root: Path
    baseline: WorktreeBaseline
    folder: Path

    def sort(self, entries: list[str], ignored: set[str]) -> tuple[Unlanded, ...]:
        before = _read(self.folder / _RECORD)
        kinds: dict[Why, list[str]] = {}
        for name in entries:
            why = self._why(name, ignored)
            if why is not None:
                kinds.setdefault(why, []).append(name)
        ignored_paths, too_large, amount = self._that_fit(kinds.pop(Why.IGNORED, []))
        changed = changed_foreign(self.root, self.baseline)
        found = [
            unlanded(why, paths, "" if why is Why.EMPTY else str(self.folder / why))
            for why, paths in kinds.items()
        ]
        if ignored_paths or changed:
            paths = [*ignored_paths, *changed]
            found.append(unlanded(Why.IGNORED, paths, str(self.folder / Why.IGNORED)))
        if too_large:
            limit = f"{size(amount)}, more than {size(MOST_IGNORED_BYTES)}"
            found.append(unlanded(Why.IGNORED, too_large, detail=limit))
        found += self._histories()
        found = [*before, *(one for one in found if one not in before)]
        if found:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / _RECORD, json.dumps(to_builtins(found)).encode())
        for why, paths in ({**kinds, Why.IGNORED: ignored_paths}).items():
            if why is not Why.EMPTY:
                set_aside(self.root, paths, self.folder / why)
        for path in changed:
            copy(self.root / path, self.folder / Why.IGNORED / path)
        return tuple(found)

    def _histories(self) -> list[Unlanded]:
        """Return what the snapshot set aside of repositories whose files are work."""
        place = self.folder / Why.HISTORY
        paths = sorted(str(found.parent.relative_to(place)) + "/" for found in place.rglob(".git*"))
        return [unlanded(Why.HISTORY, paths, str(place))] if paths else []

    def _why(self, name: str, ignored: set[str]) -> Why | None:
        """Return the reason a path is not in the snapshot; None if nobody would miss it."""
        place = self.root / name
        if not name.endswith("/"):
            return Why.IGNORED if name in ignored else Why.REFUSED
        if (place / ".git").exists():
            return Why.CLONE
        if name in ignored:
            is_cache = (place / _CACHE_MARK).is_file() or not any(_files(place))
            return None if is_cache else Why.IGNORED
        return self._why_folder(name, ignored)

    def _why_folder(self, name: str, ignored: set[str]) -> Why | None:
        """Return the reason for a folder that is not ignored and has nothing in the snapshot."""
        unseen: list[OSError] = []  # folders too deep for a path, or unreadable, may hold files
        is_empty, holds_ignored = True, any(path.startswith(name) for path in ignored)
        for parent, folders, files in os.walk(self.root / name, onerror=unseen.append):
            if ".git" in (*folders, *files):
                return Why.CLONE
            folders[:] = [one for one in folders if one not in _CACHE_NAMES]
            is_empty = is_empty and not any(map(_has_content, (Path(parent, it) for it in files)))
        if is_empty and not unseen:
            return Why.EMPTY
        return Why.IGNORED if holds_ignored else Why.REFUSED

    def _that_fit(self, names: list[str]) -> tuple[list[str], list[str], int]:
        """Split names into those small enough in total to keep and the others.

        Return the others' size.
        """
        room, fit, others, amount = MOST_IGNORED_BYTES, [], [], 0
        for name in names:
            taken = sum(_sizes(self.root / name))
            if taken <= room:
                fit.append(name)
                room -= taken
            else:
                others.append(name)
                amount += taken
        return fit, others, amount


def changed_foreign(root: Path, baseline: WorktreeBaseline) -> list[str]:
    """Return foreign files that were changed since, and new files in foreign folders."""
    return sorted(
        {
            str(path.relative_to(root))
            for name in baseline.foreign
            if name.rstrip("/").rpartition("/")[2] not in _CACHE_NAMES
            for path in _files(root / name)
            if _changed_ns(path) > baseline.since_ns
        }
    )


def _changed_ns(path: Path) -> int:
    try:
        return path.lstat().st_ctime_ns
    except OSError:
        return 0


def _has_content(path: Path) -> bool:
    """Return whether it is a file or a link: a pipe, a socket or a device holds nothing to keep."""
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _files(place: Path) -> Iterator[Path]:
    """Yield the file, or all files below the folder; follow no link and enter no cache."""
    if not is_folder(place):
        yield place
        return
    for parent, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name not in _CACHE_NAMES]
        yield from (Path(parent, name) for name in names)


def _sizes(place: Path) -> Iterator[int]:
    for path in _files(place):
        try:
            yield path.lstat().st_size
        except OSError:
            continue


def parse_unlanded(content: list[dict[str, Any]]) -> tuple[Unlanded, ...]:
    """Parse from JSON; raise KeyError, TypeError or ValueError."""
    return tuple(
        Unlanded(Why(one["why"]), tuple(one["paths"]), one["count"], one["kept"], one["detail"])
        for one in content
    )


def _read(record: Path) -> tuple[Unlanded, ...]:
    try:
        return parse_unlanded(json.loads(record.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return ()
