"""When attempts started and ended, by a run's clock instead of the wall's, which may be set."""

from pex_tui.adapters.process.records import ExitRecord, StartRecord
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.adapters.system.kernel import TABLE
from pex_tui.engine.attempt import Exited, Started


class Moments:
    """Tells a shim's moments by the clock. Of another boot only the wall clock's are known."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock

    def started(self, record: StartRecord) -> Started:
        """An attempt that lives."""
        return Started(record.root_pid, self._started_at(record))

    def exited(self, record: ExitRecord) -> Exited:
        """An attempt that left an exit record; never before it started."""
        boot = record.boot_id
        started = self._moment(record.started_at, record.started_monotonic, boot)
        exited = self._moment(record.exited_at, record.exited_monotonic, boot)
        return Exited(record.exit_code, record.signal, started, max(started, exited))

    def lost(self, record: StartRecord | None) -> Exited:
        """An attempt that left none."""
        started = None if record is None else self._started_at(record)
        return Exited(None, None, started, self._clock.now(), lost=True)

    def _started_at(self, record: StartRecord) -> float:
        return self._moment(record.started_at, record.started_monotonic, record.boot_id)

    def _moment(self, wall: float, monotonic: float | None, boot_id: str) -> float:
        now = self._clock.now()
        if monotonic is None or boot_id != TABLE.boot_id():
            return min(wall, now)
        return min(self._clock.at(monotonic), now)
