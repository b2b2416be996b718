"""Add definitions to a folder, with a lock file that records their sources."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.library.library import AgentFolder, definition_files, load_library
from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.source_offer import (
    LOCK_NAME,
    LockEntry,
    OfferedAgent,
    Target,
    digest,
    format_lock,
    merged,
    parse_lock,
)

_MODE = 0o644


def read_target(folder: AgentFolder) -> Target:
    """Read the folder; raises UserError if the folder or its lock file is unreadable."""
    try:
        hashes = {
            path.relative_to(folder.path).as_posix(): _digest_of(path)
            for path in definition_files(folder.path)
        }
    except OSError as error:
        raise UserError(
            f"{clean(str(error.filename or folder.path))} can't be read: {error.strerror}."
        ) from error
    files = {
        name: Path(agent.path).relative_to(folder.path).as_posix()
        for name, agent in load_library([folder]).agents.items()
    }
    return Target(hashes, files, read_lock(folder.path))


def _digest_of(path: Path) -> str:
    """Return the file's digest; that of an unreadable file equals no other."""
    try:
        return digest(path.read_bytes())
    except OSError:
        return ""


def read_lock(folder: Path) -> tuple[LockEntry, ...]:
    """Return the entries of the folder's lock file; raises UserError if it is unreadable."""
    path = folder / LOCK_NAME
    try:
        return parse_lock(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{clean(str(path))} can't be read: {clean(str(error))}. Fix it, or move it away."
        ) from error


def recorded(folder: Path, file: Path) -> LockEntry | None:
    """Return the source of a file of the folder; None if no readable lock file has it."""
    with suppress(UserError, ValueError):
        name = file.relative_to(folder).as_posix()
        return next((entry for entry in read_lock(folder) if entry.file == name), None)
    return None


def add_to(folder: Path, offered: Iterable[OfferedAgent], lock: Iterable[LockEntry]) -> None:
    """Write the files, then the lock file, each of them atomically. Raises UserError."""
    taken = tuple(offered)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in taken:
            write_whole(folder / each.entry.file, each.content, sync=False, mode=_MODE)
        text = format_lock(merged(lock, (each.entry for each in taken)))
        write_whole(folder / LOCK_NAME, text.encode(), sync=False, mode=_MODE)
    except OSError as error:
        raise UserError(
            f"{clean(str(folder))} can't be written: {error.strerror}. Nothing more was added."
        ) from error
