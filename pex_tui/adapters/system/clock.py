"""A run's clock: absolute seconds that go on evenly, whatever is done to the machine's clock."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.system.kernel import TABLE
from pex_tui.adapters.system.whole_file import write_whole


class SystemClock:
    """The wall clock at the start, then the monotonic one, which stands still in a suspend.

    With a `record` the engines of one run have one clock for as long as the machine is up, so that
    a timeout counts elapsed seconds across them too. It never shows less than `at_least`, the time
    of the run's last event.
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
        """Absolute seconds."""
        return self._monotonic() + self._offset

    def at(self, monotonic: float) -> float:
        """What it showed when the machine's monotonic clock showed that."""
        return monotonic + self._offset

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


def _read(record: Path) -> float | None:
    """The offset of this boot of the machine; None when there is none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        fields = json.loads(record.read_bytes())
        if fields["boot_id"] == TABLE.boot_id():
            return float(fields["offset"])
    return None


def _write(record: Path, offset: float) -> None:
    with suppress(OSError):  # then the next engine goes by the wall clock
        record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(record, json.dumps({"boot_id": TABLE.boot_id(), "offset": offset}).encode())
