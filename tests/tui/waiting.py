"""Waiting for what a person would see."""

from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

_TURNS = 400


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Let the app go on until the condition holds."""
    for _ in range(_TURNS):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("the condition never came to hold")
