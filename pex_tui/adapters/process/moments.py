"""Start and end times of attempts by a run's clock, because the wall clock may be set."""

from pex_tui.adapters.process.records import ExitRecord, StartRecord
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.adapters.system.kernel import TABLE
from pex_tui.engine.attempt import Breach, Exited, Started


class Moments:
    """Converts a shim's times to the run's clock; from another boot, only wall time is known."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock

    def started(self, record: StartRecord) -> Started:
        """Return the start of a live attempt."""
        return Started(record.root_pid, self._started_at(record), tier=record.tier)

    def exited(self, record: ExitRecord) -> Exited:
        """Return the end of an attempt by its exit record, never before its start."""
        boot = record.boot_id
        started = self._moment(record.started_at, record.started_monotonic, boot)
        exited = self._moment(record.exited_at, record.exited_monotonic, boot)
        breach = Breach(record.over, record.limit, record.peak, record.tier)
        return Exited(
            record.exit_code,
            record.signal,
            started,
            max(started, exited),
            breach=breach if record.over else None,
            peak_bytes=record.peak_bytes,
            cpu_seconds=record.cpu_seconds,
        )

    def lost(self, record: StartRecord | None) -> Exited:
        """Return the end of an attempt without an exit record; None is an unreadable start."""
        started = None if record is None else self._started_at(record)
        if record is None:
            reason = "the record of its start is damaged, and its process is gone"
        elif record.boot_id != TABLE.boot_id():
            reason = "the machine was restarted while it worked"
        else:
            reason = "the process that looked after it was killed, and it with it"
        return Exited(None, None, started, self._clock.now(), lost=True, reason=reason)

    def _started_at(self, record: StartRecord) -> float:
        return self._moment(record.started_at, record.started_monotonic, record.boot_id)

    def _moment(self, wall: float, monotonic: float | None, boot_id: str) -> float:
        now = self._clock.now()
        if monotonic is None or boot_id != TABLE.boot_id():
            return min(wall, now)
        return min(self._clock.at(monotonic), now)
