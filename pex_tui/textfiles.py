"""Reading and writing of users' text files, synchronously or in a coroutine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pex_tui.errors import UserError

MAX_BYTES = 8 * 1024 * 1024


def read_text_file(path: Path, what: str) -> str:
    """Return the text of a UTF-8 file of at most 8 MB; `what` names it in errors ("plan").

    Raises UserError, which names the path and the next step.
    """
    with _explained(path, what), path.open("rb") as stream:
        return read_text_stream(stream, str(path), what)


async def load_text_file(path: Path, what: str) -> str:
    """Read a text like `read_text_file`, without blocking the loop."""
    import aiofiles  # noqa: PLC0415  # not needed by most commands

    with _explained(path, what):
        async with aiofiles.open(path, "rb") as stream:
            return _decoded(await stream.read(MAX_BYTES + 1), str(path), what)


async def save_text_file(path: Path, text: str, *, replaces: bool = True) -> None:
    """Write a user's file without blocking the loop; raise OSError.

    Unless it `replaces`, an existing file stays, and FileExistsError is raised.
    """
    import aiofiles  # noqa: PLC0415  # as above

    async with aiofiles.open(path, "w" if replaces else "x", encoding="utf-8") as stream:
        await stream.write(text)


def read_regular_file(path: Path, what: str) -> str:
    """Read a regular file like `read_text_file`: a repository's pipe would never end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"{path}: not a regular file, so not a valid {what}. Remove it.")
    return read_text_file(path, what)


def read_text_stream(stream: BinaryIO, name: str, what: str) -> str:
    """Read UTF-8 text of at most 8 MB from a stream called `name` in errors.

    Raises UserError like `read_text_file`, and OSError.
    """
    return _decoded(stream.read(MAX_BYTES + 1), name, what)


@contextmanager
def _explained(path: Path, what: str) -> Iterator[None]:
    """Turn read errors into a UserError."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such {what}. Check the path.") from error
    except IsADirectoryError as error:
        raise UserError(f"{path}: a folder is no {what}. Name a file in it.") from error
    except OSError as error:
        reason = error.strerror or "it can't be read"
        raise UserError(f"{path}: the {what} can't be read: {reason}.") from error


def _decoded(raw: bytes, name: str, what: str) -> str:
    if len(raw) > MAX_BYTES:
        raise UserError(f"{name}: the {what} is larger than 8 MB. Split it.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{name}:{line}: the {what} is not UTF-8 text. Save it as UTF-8."
        ) from error
