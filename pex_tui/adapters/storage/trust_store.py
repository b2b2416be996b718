"""The repository settings that the user trusts: digests of their content, in one file.

As with direnv, changed content has another digest and is asked about again.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from pex_tui.adapters.system.whole_file import write_whole

_FILE = "trusted.json"
_MOST = 10_000


def digest_of(place: Path, named: Sequence[str]) -> str:
    """Return the digest of these settings of the repository at that place."""
    written = json.dumps([os.fspath(place), *named]).encode("utf-8", "surrogateescape")
    return hashlib.sha256(written).hexdigest()


class TrustStore:
    """The digests below a folder of the user's."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE

    def holds(self, digest: str) -> bool:
        """Return whether the user trusts the digest."""
        return digest in self._read()

    def add(self, digest: str) -> None:
        """Trust the digest from now on; raise OSError if that cannot be written."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = [one for one in self._read() if one != digest]
            content = json.dumps([*known[1 - _MOST :], digest], indent=1)
            write_whole(self._file, content.encode())

    def _read(self) -> list[str]:
        """Return the digests, oldest first; none if the file is unreadable."""
        try:
            content = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        return [one for one in content if isinstance(one, str)] if isinstance(content, list) else []
