"""Reading a user's text file, or saying why it can't be read."""

from pathlib import Path
from typing import BinaryIO

from pex_tui.errors import UserError

MAX_BYTES = 8 * 1024 * 1024


def read_text_file(path: Path, what: str) -> str:
    """The text of a UTF-8 file of at most 8 MB; `what` names it in errors ("plan").

    Raises UserError, which names the path and the next step.
    """
    try:
        with path.open("rb") as stream:
            return read_text_stream(stream, str(path), what)
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such {what}. Check the path.") from error
    except IsADirectoryError as error:
        raise UserError(f"{path}: a folder is no {what}. Name a file in it.") from error
    except OSError as error:
        reason = error.strerror or "it can't be read"
        raise UserError(f"{path}: the {what} can't be read: {reason}.") from error


def read_regular_file(path: Path, what: str) -> str:
    """The same of a file that a repository may bring: a pipe or a terminal would never end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"{path}: it is no regular file, and no {what}. Remove it.")
    return read_text_file(path, what)


def read_text_stream(stream: BinaryIO, name: str, what: str) -> str:
    """The UTF-8 text of at most 8 MB that is left in a stream; `name` says where it comes from.

    Raises UserError like `read_text_file`, and OSError.
    """
    raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise UserError(f"{name}: the {what} is larger than 8 MB. Split it.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{name}:{line}: the {what} is not UTF-8 text. Save it as UTF-8."
        ) from error
