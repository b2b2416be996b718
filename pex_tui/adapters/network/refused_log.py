"""The log of the hosts that an attempt was kept from."""

from pathlib import Path

REFUSED_LOG = "refused-hosts.log"
"""The file in an attempt's folder that names each of them once: `host:port`, one a line."""
_MOST_HOSTS = 5


class RefusedHosts:
    """Reads the log of an attempt while it grows."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / REFUSED_LOG
        self._offset = 0

    def news(self) -> str:
        """Return the hosts logged since the last call, the first of them by name; or nothing."""
        try:
            with self._log.open("rb") as log:
                log.seek(self._offset)
                whole, newline, _ = log.read().rpartition(b"\n")
        except OSError:
            return ""
        self._offset += len(whole) + len(newline)
        hosts = whole.decode("ascii", "replace").split()
        more = len(hosts) - _MOST_HOSTS
        return ", ".join(hosts[:_MOST_HOSTS]) + (f" and {more} more" if more > 0 else "")
