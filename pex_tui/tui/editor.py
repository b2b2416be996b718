"""A conflicting file in the user's own editor."""

import shlex
import subprocess
import tempfile
from pathlib import Path

from pex_tui.tui.settlement import FileMerge


def editable(entry: FileMerge) -> str:
    """What the editor gets: the result so far, or git's text with markers while it is open."""
    if entry.open_hunks and entry.sides.merged is not None:
        return entry.sides.merged.decode("utf-8", "surrogateescape")
    return entry.text


def edited(editor: str, path: str, text: str) -> str | None:
    """The text as the user left it; None when the editor failed.

    Raises OSError or ValueError when it can't be started.
    """
    with tempfile.TemporaryDirectory(prefix="pex-tui-") as folder:
        file = Path(folder) / Path(path).name
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        ended = subprocess.run([*shlex.split(editor), str(file)], check=False)
        if ended.returncode != 0:
            return None
        return file.read_bytes().decode("utf-8", "surrogateescape")
