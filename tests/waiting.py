"""Waiting for what another process does."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 60.0


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition; fail when it does not come true."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "the condition never came true"
        await asyncio.sleep(0.005)
