"""People's resolutions of conflicts in this repository: one file each, oldest dropped first."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, field, to_builtins

from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.sanitize import clean
from pex_tui.core.textmerge.diff3 import Chunk
from pex_tui.core.textmerge.rerere import Remembered, conflict_id, recall, remember

_FORMAT = "pex-tui resolution 1"
_MOST_BYTES = 8 * 1024 * 1024  # of one file
_MOST_BYTES_IN_ALL = 64 * 1024 * 1024
_MOST_FILES = 1000


class ResolutionCache(Struct, frozen=True):
    """The folder of people's resolutions; an unreadable file in it is removed."""

    folder: Path
    _notices: list[str] = field(default_factory=list)

    def keep(self, path: str, parts: tuple[Chunk, ...], text: bytes, by: str) -> None:
        """Remember a resolution of the conflict; raise OSError."""
        known = remember(path, parts, text, by, time.time())
        stored = json.dumps({"format": _FORMAT, **to_builtins(known)}).encode("ascii")
        if len(stored) > _MOST_BYTES:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._file(path, parts), stored)
        self._forget()

    def recall(self, path: str, parts: tuple[Chunk, ...]) -> tuple[bytes, Remembered] | None:
        """Return the file as the same conflict was resolved before, and the record of that."""
        known = self._read(self._file(path, parts))
        text = None if known is None or known.path != path else recall(known, parts)
        return None if known is None or text is None else (text, known)

    def forget(self, path: str, parts: tuple[Chunk, ...]) -> None:
        """Forget a conflict's resolution, because it cannot be used."""
        with suppress(OSError):
            self._file(path, parts).unlink(missing_ok=True)

    def take_notices(self) -> tuple[str, ...]:
        """Return notices for the user, each of them once."""
        told = tuple(self._notices)
        self._notices.clear()
        return told

    def _file(self, path: str, parts: tuple[Chunk, ...]) -> Path:
        return self.folder / f"{conflict_id(path, parts)}.json"

    def _read(self, file: Path) -> Remembered | None:
        try:
            with file.open("rb") as stored:
                return _parsed(stored.read(_MOST_BYTES + 1))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            self._notices.append(
                f"A remembered resolution can't be read and was removed: "
                f"{clean(str(file))}: {clean(str(error))}"
            )
            with suppress(OSError):
                file.unlink()
            return None

    def _forget(self) -> None:
        """Remove the oldest files beyond the limits."""
        found = []
        for file in self.folder.glob("*.json"):
            with suppress(FileNotFoundError):  # another process removes files as well
                stat = file.stat()
                found.append((stat.st_mtime, stat.st_size, file))
        found.sort(reverse=True)
        size = 0
        for count, (_, bytes_of_it, file) in enumerate(found, 1):
            size += bytes_of_it
            if count > _MOST_FILES or size > _MOST_BYTES_IN_ALL:
                file.unlink(missing_ok=True)


def _parsed(raw: bytes) -> Remembered:
    """Parse a file; raise KeyError, TypeError or ValueError if it is something else."""
    if len(raw) > _MOST_BYTES:
        raise ValueError("it is too large")
    stored: Any = json.loads(raw)
    if stored["format"] != _FORMAT:
        raise ValueError("it is of another version")
    path, by, at = stored["path"], stored["by"], float(stored["at"])
    before, after = tuple(stored["before"]), tuple(stored["after"])
    if not all(isinstance(text, str) for text in (path, by, *before, *after)):
        raise TypeError("it holds something other than text")
    return Remembered(path, before, after, by, at)
