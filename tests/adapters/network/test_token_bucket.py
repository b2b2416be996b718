"""The rate of a task, on a clock of the test's own."""

from pex_tui.adapters.network.token_bucket import TokenBucket


class FakeClock:
    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def moved(rate: int, seconds: float) -> float:
    """Return how many bytes per second pass if as many are moved as possible."""
    clock = FakeClock()
    bucket = TokenBucket(rate, clock.now, clock.sleep)
    clock.at += 60  # idle: no allowance is saved up beyond the burst
    begun, count = clock.at, 0
    while clock.at < begun + seconds:
        bucket.take(bucket.most_bytes)
        count += bucket.most_bytes
    return count / (clock.at - begun)


def test_the_rate_is_held_within_a_few_percent() -> None:
    for rate in (20_000, 1 << 20, 100 << 20):
        assert 0.98 * rate <= moved(rate, 10) <= 1.02 * rate


def test_a_slow_rate_is_not_moved_in_one_lump() -> None:
    assert TokenBucket(1 << 20).most_bytes < 1 << 17
    assert TokenBucket(1000).most_bytes == 512
