"""The journal's file: open, check, move aside if broken, keep writable on a full disk."""

import os
import shutil
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.system.whole_file import sync_folder
from pex_tui.errors import UserError

SCHEMA_VERSION = 1
_BALLAST_BYTES = 1024 * 1024
_CHECKED_BYTES = 64 * 1024 * 1024  # a check takes 1.2 ms/MB; larger files are trusted until read
_PRIMARY = 0xFF  # SQLite's extended result codes have the plain one in their low byte
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, created_at REAL NOT NULL, goal TEXT NOT NULL, tasks INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    run TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_kind ON events (kind, run);
"""


class JournalError(UserError):
    """The journal cannot be used; the text gives the reason and the next step."""


def open_file(path: Path) -> tuple[sqlite3.Connection, str]:
    """Return a connection to the journal, and a notice if it replaces a broken one.

    A broken file is moved aside. Raises JournalError for a newer schema and for a folder that is
    not writable.
    """
    try:
        connection = _connect(path)
    except sqlite3.DatabaseError as error:
        if not _is_broken(error):
            raise JournalError(
                f"The journal {path} can't be opened: {error}. Its folder has to be there, "
                "writable, and on a local disk."
            ) from error
        _move_aside(path)
        connection = _connect(path)
    return connection, _notice(connection, path)


def identity(path: Path) -> tuple[int, int] | None:
    """Return the identity of the file with that name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def put_back(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Write the file anew from the connection to a deleted one; return the new connection.

    SQLite keeps writing to a deleted file, where nobody would find it. The file that has the name
    now is kept beside it. Raises sqlite3.Error or OSError, with the old connection as it was.
    """
    draft = path.with_name(f"{path.name}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(draft),))
    if path.exists():
        path.rename(path.with_name(f"{path.name}.found-{time.time_ns()}"))
    connection.close()  # before the new file exists, because it deletes -wal and -shm by name
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    draft.replace(path)
    sync_folder(path.parent)
    return _connect(path)


def is_full(error: sqlite3.Error, path: Path) -> bool:
    """Return whether a write failed on a full disk; SQLite reports some of those as I/O errors."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if code == sqlite3.SQLITE_IOERR:
        return shutil.disk_usage(path.parent).free < _BALLAST_BYTES
    return code == sqlite3.SQLITE_FULL


class Ballast:
    """Reserved disk space, released on a full disk so that the journal can write once more."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name("ballast")

    def fill(self) -> None:
        """Reserve the space, unless it would be the last there is."""
        with suppress(OSError):
            is_there = self._path.exists() and self._path.stat().st_size >= _BALLAST_BYTES
            free = shutil.disk_usage(self._path.parent).free
            if not is_there and free > 2 * _BALLAST_BYTES:
                # Random bytes: a compressing file system would reserve nothing for zeros.
                self._path.write_bytes(os.urandom(_BALLAST_BYTES))

    def drop(self) -> bool:
        """Release the space; return False if that was done before."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        _migrate(connection, path)
        connection.execute("SELECT run FROM events LIMIT 1").fetchone()
        _check(connection, path)
    except (sqlite3.Error, OSError, JournalError):
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Check the whole file for damage, not only the parts that are read first."""
    if path.stat().st_size <= _CHECKED_BYTES:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"malformed: {found}")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA_VERSION:
        raise JournalError(
            f"The journal {path} was written by a newer pex-tui (version {found}, this one "
            f"knows {SCHEMA_VERSION}). Upgrade pex-tui."
        )
    if found < SCHEMA_VERSION:
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _is_broken(error: sqlite3.DatabaseError) -> bool:
    """Return whether the file's content is at fault, not its surroundings."""
    if not isinstance(error, sqlite3.OperationalError):
        return True
    return any(words in str(error) for words in ("malformed", "no such table", "no such column"))


def _move_aside(path: Path) -> None:
    """Rename the file and SQLite's companion files; another process may be faster."""
    aside = _aside(path, _times_broken(path) + 1)
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))


def _notice(connection: sqlite3.Connection, path: Path) -> str:
    """Return the notice that every command prints until the new journal has a run.

    The first command may run unattended.
    """
    times = _times_broken(path)
    if times == 0 or connection.execute("SELECT run FROM runs LIMIT 1").fetchone():
        return ""
    return (
        f"The journal was broken and is now {_aside(path, times).name}; past runs are not listed. "
        "Branches and refs of those runs are as they were."
    )


def _times_broken(path: Path) -> int:
    number = 0
    while _aside(path, number + 1).exists():
        number += 1
    return number


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.corrupt-{number}")
