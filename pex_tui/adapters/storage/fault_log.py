"""Tracebacks of internal errors that did not end the run, in a file of the run."""

import traceback
from pathlib import Path

_MOST_BYTES = 1 << 20


class FaultLog:
    """Writes errors to the file, up to 1 MB of them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, error: Exception) -> None:
        """Write one error; a full disk causes no second error."""
        text = "".join(traceback.format_exception(error))
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as log:
                if log.tell() < _MOST_BYTES:
                    log.write(f"{text}\n")
        except OSError:
            return
