"""Waiting for what a person would see."""

import asyncio
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot

PATIENCE_SECONDS = 60.0


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Let the app go on until the condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await pilot.pause(0.01)


async def until_shown(pilot: Pilot[Any], text: str) -> None:
    """Until the text is on the screen."""
    await until(pilot, lambda: text in screen_text(pilot.app))


def screen_text(app: App[Any]) -> str:
    """All that is on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)
