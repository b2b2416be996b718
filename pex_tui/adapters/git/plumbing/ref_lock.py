"""Distinguish orphaned lock files of git from those in use.

`<file>.lock` outlives a git that was killed, and then nothing can write the file. All of our own
git commands that write what we lock inherit the landing lock, so its holder knows that none of them
is left. A lock is an orphan if it holds the commit that only we want to write, if it is older than
the machine's boot, or if it has aged and nobody can own it: no process has it open, and no writing
git as old as the lock is at work in this repository (git closes a ref's lock before it renames it).
"""

import re
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_AGED_SECONDS = 5.0  # git holds a ref lock for milliseconds
_CLOCK_SLACK_SECONDS = 2.0
_LOCK = re.compile(r"Unable to create '(.+\.lock)': File exists")
_READERS = frozenset(  # commands that may run for hours and write neither a ref nor an index
    (
        *("archive", "blame", "cat-file", "check-attr", "check-ignore", "citool", "daemon"),
        *("credential-cache--daemon", "diff", "fsmonitor--daemon", "grep", "gui", "instaweb"),
        *("log", "ls-files", "rev-list", "show", "upload-pack"),
    )
)


def lock_in(words: str) -> Path | None:
    """Return the lock file that git could not create, from its error message."""
    found = _LOCK.search(words)
    return Path(found[1]) if found else None


def is_orphaned(
    lock: Path, ours: Collection[str] = (), *, aged_seconds: float | None = None
) -> bool:
    """Return whether the lock's owner is proven dead; `ours` are commits that only we write.

    An orphan of another engine may write those as well, to the same end. A lock younger than
    `aged_seconds` is not orphaned.
    """
    try:
        content = lock.read_bytes()[:100].decode("ascii", "replace").strip()
        locked_at = lock.stat().st_mtime
    except FileNotFoundError:
        return False
    if content in ours or locked_at < psutil.boot_time() - _CLOCK_SLACK_SECONDS:
        return True
    if time.time() - locked_at < (_AGED_SECONDS if aged_seconds is None else aged_seconds):
        return False
    return not list(_owners(lock))


def suspects(lock: Path) -> str:
    """Name the processes that may hold the lock."""
    found = _owners(lock) if lock.exists() else iter(())
    return ", ".join(f"{process.info['name'] or '?'}, pid {process.pid}" for process in found)


def _owners(lock: Path) -> Iterator[psutil.Process]:
    """Yield processes that have the lock open, or are a git that may be about to rename it."""
    with suppress(FileNotFoundError):
        found = lock.stat()
        places = _places(lock)
        for process in psutil.process_iter(["name", "create_time", "status", "uids"]):
            known = process.info
            is_alive = known["status"] != psutil.STATUS_ZOMBIE
            is_his = known["uids"] is None or known["uids"].effective == found.st_uid
            is_as_old = (known["create_time"] or 0.0) <= found.st_mtime + _CLOCK_SLACK_SECONDS
            if not (is_alive and is_his and is_as_old):
                continue
            if _has_open(process, lock) or _writes_in(process, places):
                yield process


def _has_open(process: psutil.Process, lock: Path) -> bool:
    with suppress(psutil.Error, OSError):
        return any(Path(file.path) == lock for file in process.open_files())
    return False


def _writes_in(process: psutil.Process, places: frozenset[Path]) -> bool:
    """Return whether the process is a git that may write in one of the places."""
    name = process.info["name"] or ""
    if name != "git" and not name.startswith("git-"):
        return False
    try:
        words = process.cmdline()
        if any(word in _READERS for word in (*words[1:], name.removeprefix("git-"))):
            return False
        named = [word.partition("=")[2] for word in words if word.startswith("--git-dir=")]
        here = {Path(process.cwd()), *(Path(path) for path in named)}
        return any(place in {spot, *spot.parents} for spot in here for place in places)
    except psutil.NoSuchProcess:
        return False  # ended meanwhile
    except (psutil.Error, OSError):
        return True  # not readable, so nothing is proven


def _places(lock: Path) -> frozenset[Path]:
    """Return the git directories and work trees of the lock's repository."""
    git_dir = next((one for one in lock.resolve().parents if (one / "HEAD").is_file()), None)
    if git_dir is None:
        return frozenset()
    link = git_dir / "commondir"
    common = (git_dir / link.read_text().strip()).resolve() if link.is_file() else git_dir
    trees = [Path(one.read_text().strip()).parent for one in common.glob("worktrees/*/gitdir")]
    main = [common.parent] if common.name == ".git" else []
    return frozenset((git_dir, common, *main, *trees))
