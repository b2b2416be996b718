"""A run's clock, while the machine's clock is set."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from pex_tui.adapters.process.moments import Moments
from pex_tui.adapters.process.records import ExitRecord
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.adapters.system.kernel import TABLE

HOUR = 3600.0


@dataclass
class Machine:
    """The machine's two clocks."""

    wall: float = 1_000_000.0
    monotonic: float = 500.0

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def clock(self, record: Path | None, at_least: float = 0.0) -> SystemClock:
        return SystemClock(
            record, at_least, wall=lambda: self.wall, monotonic=lambda: self.monotonic
        )


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_seconds_go_on_evenly_within_an_engine_and_into_the_next(
    tmp_path: Path, jump: float
) -> None:
    machine = Machine()
    first = machine.clock(tmp_path / "clock.json")
    began = first.now()
    assert began == machine.wall
    machine.pass_time(10)
    machine.wall += jump
    assert first.now() - began == 10
    machine.pass_time(5)
    second = machine.clock(tmp_path / "clock.json", at_least=first.now())
    machine.pass_time(5)
    assert second.now() - began == 20


def test_time_in_a_suspend_does_not_count(tmp_path: Path) -> None:
    machine = Machine()
    clock = machine.clock(tmp_path / "clock.json")
    began = clock.now()
    machine.wall += 8 * HOUR  # the monotonic clock stood still
    machine.pass_time(1)
    assert clock.now() - began == 1


def test_after_another_boot_it_shows_the_wall_clock_but_never_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine()
    last = machine.clock(tmp_path / "clock.json").now()
    monkeypatch.setattr(TABLE, "boot_id", lambda: "another boot")
    machine.monotonic = 3.0
    machine.wall += HOUR
    assert machine.clock(tmp_path / "clock.json", last).now() == last + HOUR
    (tmp_path / "clock.json").write_text("torn")
    machine.wall -= 2 * HOUR
    assert machine.clock(tmp_path / "clock.json", last).now() == last


def test_an_attempt_took_as_long_as_it_took_whatever_the_wall_clock_says() -> None:
    moments = Moments(Machine(wall=5000.0, monotonic=700.0).clock(None))
    record = ExitRecord(0, None, 9e9, 1.0, TABLE.boot_id(), 640.0, 690.0)
    exited = moments.exited(record)
    assert (exited.started_at, exited.exited_at) == (4940.0, 4990.0)


def test_a_record_of_0_1_never_ends_before_it_starts_nor_in_the_future() -> None:
    moments = Moments(Machine(wall=5000.0).clock(None))
    exited = moments.exited(ExitRecord(0, None, 4000.0, 3000.0))
    assert (exited.started_at, exited.exited_at) == (4000.0, 4000.0)
    later = moments.exited(ExitRecord(0, None, 4000.0, 9000.0))
    assert (later.started_at, later.exited_at) == (4000.0, 5000.0)
