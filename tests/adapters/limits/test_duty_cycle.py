"""A CPU limit by turns: the mean holds, whatever the load and the lateness of looks."""

import pytest

from pex_tui.adapters.limits.duty_cycle import DutyCycle


def simulated(cores: float, load: float, *, late: float = 0.0, seconds: float = 20.0) -> float:
    """Return the mean number of cores that a tree with this load gets."""
    duty, now, used = DutyCycle(cores, 0.0, cpus=4), 0.0, 0.0
    wait = 0.0
    while now < seconds:
        passed = wait + late
        now += passed
        if not duty.is_stopped:
            used += load * passed
        wait = duty.look(now, used)
    return used / now


@pytest.mark.parametrize("load", [1.0, 3.0])
@pytest.mark.parametrize("late", [0.0, 0.02])
def test_a_busy_tree_gets_its_share(load: float, late: float) -> None:
    assert simulated(0.4, load, late=late) == pytest.approx(0.4, rel=0.1)


def test_a_tree_below_its_limit_is_never_stopped() -> None:
    assert simulated(0.4, 0.3) == pytest.approx(0.3)


def test_saved_shares_are_worth_half_a_second_at_most() -> None:
    duty = DutyCycle(0.4, 0.0, cpus=4)
    for now in range(1, 100):
        duty.look(float(now), 0.0)
    duty.look(99.25, 0.21)
    assert duty.is_stopped
