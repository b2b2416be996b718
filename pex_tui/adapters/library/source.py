"""Read the definitions of a source: a file, a folder, or a commit of a repository."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.library.git_source import fetch_definitions
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.source_address import (
    FOLDERS,
    MOST_BYTES,
    MOST_FILES,
    GitAddress,
    LeftOut,
    SourceFile,
    SourceFiles,
    SourceOrigin,
    chosen,
    is_git_path,
    remote_address,
    split_revision,
    without_mark,
)

_TOO_LARGE = f"it is larger than {MOST_BYTES // 1024} KB"


async def read_source(text: str) -> SourceFiles:
    """Return the content of the source; raises UserError if it cannot be read."""
    place = _place(text)
    if isinstance(place, GitAddress):
        return await fetch_definitions(place)
    return _read_local(place)


def _read_local(path: Path) -> SourceFiles:
    """Read a file or a folder, which no commit pins."""
    return _read_folder(path) if path.is_dir() else _read_file(path)


def _place(text: str) -> GitAddress | Path:
    """Parse the source's address; raises UserError if it is not valid."""
    remote = None if _exists(Path(text)) else remote_address(text)
    if remote is not None:
        return remote
    path = Path(without_mark(text)).expanduser()
    if _exists(path):
        top = path.resolve()
        is_git = is_git_path(text) or _exists(top / ".git")
        return GitAddress(str(top), None) if is_git else top
    place, revision = split_revision(without_mark(text))
    folder = Path(place).expanduser()
    if revision is not None and _exists(folder):
        return GitAddress(str(folder.resolve()), revision)
    raise UserError(
        f"{clean(text)}: there is no such file, folder or repository. Name a path, or a git "
        "address with a commit: https://example.org/agents.git@1a2b3c4"
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # not a path at all
        return False


def _read_file(path: Path) -> SourceFiles:
    content, reason = _content(path)
    if content is None:
        raise UserError(f"{clean(str(path))}: {reason}. Name another file.")
    return SourceFiles(SourceOrigin(str(path)), (SourceFile(path.name, content),))


def _read_folder(top: Path) -> SourceFiles:
    files, left_out = [], []
    for name in chosen(_names(top)):
        content, reason = _content(top / name)
        shown = os.fsencode(name).decode("utf-8", "replace")
        if content is None:
            left_out.append(LeftOut(shown, reason))
        else:
            files.append(SourceFile(shown, content))
    return SourceFiles(SourceOrigin(str(top)), tuple(files), tuple(left_out))


def _names(top: Path) -> list[str]:
    """Return the paths of possible definitions, relative to the folder; no link is followed."""
    names = [path.name for path in top.glob("*.md")]
    for folder in FOLDERS:
        start = top / folder
        if start.resolve() != start:  # the file, or a folder above it, is a link
            continue
        found = 0
        for place, _, inside in os.walk(start):
            below = Path(place).relative_to(top).as_posix()
            names += [f"{below}/{name}" for name in inside if name.endswith(".md")]
            found += len(inside)
            if found > MOST_FILES * 20:
                raise UserError(f"{clean(str(start))} holds too many files. Name a folder of it.")
    return names


def _content(path: Path) -> tuple[bytes | None, str]:
    """Return a regular file's bytes, or None and the reason."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        with suppress(OSError):
            if path.is_symlink():
                return None, "it is a link, and only regular files are accepted"
        return None, f"it can't be read: {error.strerror}"
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None, "it is not a regular file"
        content = stream.read(MOST_BYTES + 1)
    return (None, _TOO_LARGE) if len(content) > MOST_BYTES else (content, "")
