"""Tokens that authenticate an attempt's processes: a keyed digest of the attempt's name."""

import hmac
import secrets
from pathlib import Path

from pex_tui.engine.attempt import AttemptKey

_SECRET_BYTES = 32


class AttemptTokens:
    """Tokens of a run's attempts, the same for every engine of the run.

    The secret is made in `folder`, the run's own, on first use.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "tokens.secret"
        self._secret = b""

    def token(self, key: AttemptKey) -> str:
        """Return the attempt's token; raise OSError if the secret cannot be read or made."""
        name = f"{key.run}/{key.task}/{key.attempt}".encode()
        return hmac.digest(self._read(), name, "sha256").hex()

    def is_valid(self, key: AttemptKey, shown: str) -> bool:
        """Return whether the token is the attempt's; raise OSError."""
        return hmac.compare_digest(self.token(key).encode(), shown.encode("utf-8", "replace"))

    def _read(self) -> bytes:
        if not self._secret:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._file.touch(mode=0o600, exist_ok=False)
                self._file.write_bytes(secrets.token_bytes(_SECRET_BYTES))
            except FileExistsError:
                pass
            self._secret = self._file.read_bytes()
        return self._secret
