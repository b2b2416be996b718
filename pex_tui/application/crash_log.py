"""Crash log: the user sees one line, the traceback goes to a file."""

import os
import tempfile
import time
import traceback
from pathlib import Path


def write_crash_log(error: BaseException) -> Path:
    """Write the traceback to a file of the state folder and return its path."""
    text = "".join(traceback.format_exception(error))
    named = os.environ.get("XDG_STATE_HOME", "")
    state = Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "state"
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in (state / "pex-tui", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        return path
    return Path(os.devnull)
