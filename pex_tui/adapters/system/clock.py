"""A run's clock: absolute seconds that advance steadily, even if the machine's clock is set."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.system.kernel import TABLE
from pex_tui.adapters.system.whole_file import write_whole


class SystemClock:
    """Wall time at the start, then monotonic time, which stops during a suspend.

    With a `record`, the engines of one run share a clock until the machine reboots, so that
    timeouts count elapsed seconds across engines. It never shows less than `at_least`, the time of
    the run's last event.
    """

    def __init__(
        self,
        record: Path | None = None,
        at_least: float = 0.0,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        known = None if record is None else _read(record)
        offset = wall() - monotonic() if known is None else known
        self._offset = max(offset, at_least - monotonic())
        if record is not None and self._offset != known:
            _write(record, self._offset)

    def now(self) -> float:
        """Return absolute seconds."""
        return self._monotonic() + self._offset

    def at(self, monotonic: float) -> float:
        """Convert a time of the machine's monotonic clock."""
        return monotonic + self._offset

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


def _read(record: Path) -> float | None:
    """Return the offset of this boot of the machine; None if there is none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        fields = json.loads(record.read_bytes())
        if fields["boot_id"] == TABLE.boot_id():
            return float(fields["offset"])
    return None


def _write(record: Path, offset: float) -> None:
    with suppress(OSError):  # the next engine then starts from wall time
        record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(record, json.dumps({"boot_id": TABLE.boot_id(), "offset": offset}).encode())
