"""The journal's file: opened, checked, moved aside when broken, kept writable on a full disk."""

import sqlite3
from contextlib import suppress
from pathlib import Path

SCHEMA_VERSION = 1
_BALLAST_BYTES = 1024 * 1024
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


class JournalError(Exception):
    """The journal can't be used; the text says why and what to do."""


def open_file(path: Path) -> tuple[sqlite3.Connection, str]:
    """A connection to the journal, and a notice when a broken file had to be moved aside.

    Raises JournalError for a newer schema and for a folder that can't be written.
    """
    try:
        return _connect(path), ""
    except sqlite3.DatabaseError as error:
        if not _is_broken(error):
            raise JournalError(f"The journal {path} can't be opened: {error}.") from error
    aside = _move_aside(path)
    notice = (
        f"The journal was broken and is now {aside.name}; past runs are not listed. "
        "Branches and refs of those runs are as they were."
    )
    return _connect(path), notice


class Ballast:
    """Room set aside, given back when the disk is full so that the journal can write once more."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name("ballast")

    def fill(self) -> None:
        """Set the room aside; without room there is nothing to set aside."""
        with suppress(OSError):
            if not self._path.exists() or self._path.stat().st_size < _BALLAST_BYTES:
                self._path.write_bytes(bytes(_BALLAST_BYTES))

    def drop(self) -> bool:
        """Give the room back; False when that was done before."""
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
    except BaseException:
        connection.close()
        raise
    return connection


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
    return not isinstance(error, sqlite3.OperationalError) or "malformed" in str(error)


def _move_aside(path: Path) -> Path:
    number = 1
    while path.with_name(f"{path.name}.corrupt-{number}").exists():
        number += 1
    aside = path.with_name(f"{path.name}.corrupt-{number}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return aside
