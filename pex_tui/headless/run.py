"""Driver of a run without a screen: signals, notes, JSON Lines, exit code."""

import asyncio

from msgspec import Struct

from pex_tui.core.events.run_events import RunDrainRequested
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.state import RunState
from pex_tui.engine.local import LocalSession
from pex_tui.engine.pool import TaskPool
from pex_tui.headless.streams import ENDING_SIGNALS, Streams


class _Interruptions(Struct):
    """Signals so far: the first drains, later ones end agents, then the output."""

    session: LocalSession
    streams: Streams
    count: int = 0

    def __call__(self) -> None:
        if self.session.state.stage is RunStage.FINISHED:
            self.streams.interrupted.set()
        self.count += 1
        self.session.post(RunDrainRequested("signal", kill=self.count > 1))


async def drive(session: LocalSession, streams: Streams) -> RunState:
    """Drive the run to its end and return its last state."""
    loop = asyncio.get_running_loop()
    interrupt = _Interruptions(session, streams)
    for number in ENDING_SIGNALS:
        loop.add_signal_handler(number, interrupt)
    try:
        await session.serve(TaskPool())
    finally:
        streams.heed_signals()
    return session.state


def was_let_go(state: RunState) -> bool:
    """Return whether the run was released before its end."""
    return state.stage is not RunStage.FINISHED
