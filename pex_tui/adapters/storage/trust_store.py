"""Which repositories' settings the user has said to trust: digests of what they name, in one file.

As with direnv a changed content is another one, and is asked about again.
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
    """What stands for these settings of the repository at that place."""
    written = json.dumps([os.fspath(place), *named]).encode("utf-8", "surrogateescape")
    return hashlib.sha256(written).hexdigest()


class TrustStore:
    """The digests below a folder of the user's."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE

    def holds(self, digest: str) -> bool:
        """Whether the user trusts what the digest stands for."""
        return digest in self._read()

    def add(self, digest: str) -> None:
        """Trust it from now on; raise OSError when that can't be written."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = [one for one in self._read() if one != digest]
            content = json.dumps([*known[1 - _MOST :], digest], indent=1)
            write_whole(self._file, content.encode())

    def _read(self) -> list[str]:
        """The digests, oldest first; a file that can't be read holds none."""
        try:
            content = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        return [one for one in content if isinstance(one, str)] if isinstance(content, list) else []
