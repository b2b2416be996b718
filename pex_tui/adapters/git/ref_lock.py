"""Tells a ref lock whose git is dead from one that is in use.

`<ref>.lock` outlives a git that was killed, and then nothing can move the ref. All of our own git
commands that write the ref inherit the landing lock, so whoever holds that lock knows that none of
them is left. A ref lock is an orphan when it holds the commit that only we want to write, when it
is older than this boot of the machine, or when it has aged and no git process is as old as it.
"""

import time
from pathlib import Path

import psutil

_AGED_SECONDS = 5.0  # git holds a ref lock for milliseconds
_CLOCK_SLACK_SECONDS = 2.0


def is_orphaned(lock: Path, ours: str) -> bool:
    """Whether the lock's owner is proven dead; `ours` is the commit we want to write.

    True only counts while the landing lock is held.
    """
    try:
        content = lock.read_text("ascii", "replace").strip()
        locked_at = lock.stat().st_mtime
    except FileNotFoundError:
        return False
    if content == ours or locked_at < psutil.boot_time() - _CLOCK_SLACK_SECONDS:
        return True
    if time.time() - locked_at < _AGED_SECONDS:
        return False
    return not _git_processes_since_before(locked_at)


def suspects(lock: Path) -> str:
    """The git processes that may hold the lock, in words for a person."""
    try:
        locked_at = lock.stat().st_mtime
    except FileNotFoundError:
        return ""
    return ", ".join(f"git, pid {pid}" for pid in _git_processes_since_before(locked_at))


def _git_processes_since_before(moment: float) -> list[int]:
    """Processes named like git that were there when the lock was made."""
    return [
        process.info["pid"]
        for process in psutil.process_iter(["pid", "name", "create_time", "status"])
        if (process.info["name"] or "").startswith("git")
        and process.info["status"] != psutil.STATUS_ZOMBIE
        and (process.info["create_time"] or 0.0) <= moment + _CLOCK_SLACK_SECONDS
    ]
