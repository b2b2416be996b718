"""Wait for what a person would see."""

import asyncio
from collections.abc import Callable
from typing import Any

from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot

from tests.waiting import patience

_GLANCE_SECONDS = 0.01


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Let the app run until the condition holds, and until it has handled all messages then."""
    async with patience():
        while not condition():  # noqa: ASYNC110  # of whatever kind
            await asyncio.sleep(_GLANCE_SECONDS)
        if pilot.app.is_running:
            await pilot.pause()


async def until_shown(pilot: Pilot[Any], text: str) -> None:
    """Wait until the text is on the screen."""
    await until(pilot, lambda: text in screen_text(pilot.app))


def screen_text(app: App[Any]) -> str:
    """Paint the screen, over those behind it, and return all text, line by line."""
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)
