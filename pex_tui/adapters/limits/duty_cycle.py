"""A CPU limit without the kernel's help: the tree is stopped while it has used up its share."""

_PERIOD_SECONDS = 0.5
_RESUME_AT = 0.6  # of a period's share
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.01, 0.25


class DutyCycle:
    """A bucket of CPU seconds that fills at the limit's rate; the tree stops when it is empty.

    What a late look let through is owed, so that the mean holds.
    """

    def __init__(self, cores: float, now: float, cpus: int) -> None:
        self.is_stopped = False
        self._cores = cores
        self._most = cores * _PERIOD_SECONDS
        self._credit = self._most
        self._rate = float(cpus)  # of use while it runs; the worst until measured
        self._looked_at = now
        self._used = 0.0

    def look(self, now: float, used_seconds: float) -> float:
        """Account for the CPU seconds used so far; return the seconds until the next look."""
        passed = max(now - self._looked_at, 1e-6)
        used = max(0.0, used_seconds - self._used)
        self._looked_at, self._used = now, max(self._used, used_seconds)
        self._credit = min(self._most, self._credit + self._cores * passed) - used
        if not self.is_stopped:
            self._rate = used / passed
        if self.is_stopped:
            missing = _RESUME_AT * self._most - self._credit
            self.is_stopped = missing > 0
        else:
            self.is_stopped = self._credit <= 0
            missing = _RESUME_AT * self._most - self._credit
        if self.is_stopped:
            return max(_SHORTEST_SECONDS, missing / self._cores)
        excess = self._rate - self._cores
        wait = self._credit / excess if excess > 0 else _LONGEST_SECONDS
        return min(_LONGEST_SECONDS, max(_SHORTEST_SECONDS, wait))
