"""Drives a run without a screen: signals, notes, JSON Lines, the report's exit code."""

import asyncio
import signal
from dataclasses import dataclass

from pex_tui.core.events import RunDrainRequested
from pex_tui.core.phases import RunStage
from pex_tui.core.state import RunState
from pex_tui.engine.local import LocalSession
from pex_tui.engine.pool import TaskPool

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class _Interruptions:
    """The first signal drains, every later one ends what runs."""

    session: LocalSession
    count: int = 0

    def __call__(self) -> None:
        self.count += 1
        self.session.post(RunDrainRequested("signal", kill=self.count > 1))


async def drive(session: LocalSession) -> RunState:
    """Drive the run to its end and return its last state."""
    loop = asyncio.get_running_loop()
    interrupt = _Interruptions(session)
    for number in _SIGNALS:
        loop.add_signal_handler(number, interrupt)
    try:
        await session.serve(TaskPool())
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    return session.state


def was_let_go(state: RunState) -> bool:
    """Whether the run was left while it was still going on."""
    return state.stage is not RunStage.FINISHED
