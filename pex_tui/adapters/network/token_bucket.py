"""A limit of bytes per second that several threads share."""

import threading
import time
from collections.abc import Callable

_BURST_SECONDS = 0.1
_SHARES = 20  # pieces of a second's allowance that are taken at once, at most
_LEAST_BYTES = 512
_MOST_BYTES = 1 << 16


class TokenBucket:
    """Admits `rate` bytes per second, with a burst of a tenth of a second."""

    def __init__(
        self,
        rate: int,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._paid_until = now()

    @property
    def most_bytes(self) -> int:
        """The bytes to move at once, so that a slow limit is smooth."""
        return max(_LEAST_BYTES, min(_MOST_BYTES, self._rate // _SHARES))

    def take(self, count: int) -> None:
        """Wait until `count` more bytes are admitted."""
        with self._lock:
            now = self._now()
            self._paid_until = max(self._paid_until, now - _BURST_SECONDS) + count / self._rate
            wait = self._paid_until - now
        if wait > 0:
            self._sleep(wait)
