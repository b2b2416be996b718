"""What a headless run tells while it goes on: notes for a person, or JSON Lines."""

import time
from collections.abc import Callable
from typing import TextIO

from pex_tui.core.events import (
    AgentExited,
    AgentStarted,
    BranchMoved,
    ConflictDecided,
    Event,
    GateFinished,
    MergeConflicted,
    Noticed,
    RunAdopted,
    RunDrainRequested,
    RunLanded,
    RunLandRefused,
)
from pex_tui.core.phases import Phase
from pex_tui.core.state import RunState
from pex_tui.core.text import clean

_ADOPTED_SECONDS = 3.0  # a start that is so old was found, not made
Printer = Callable[[str], None]


def to_stream(stream: TextIO) -> Printer:
    """A printer of single lines that survives a reader who has left."""

    def printer(line: str) -> None:
        try:
            stream.write(line + "\n")
            stream.flush()
        except BrokenPipeError:
            pass

    return printer


class Narrator:
    """One line for what a person should know, as it happens."""

    def __init__(self, printer: Printer, state: Callable[[], RunState]) -> None:
        self._print = printer
        self._state = state

    def __call__(self, seq: int, event: Event) -> None:
        """Tell of an event, if it is worth a line."""
        del seq
        text = _told(event, self._state())
        if text:
            clock = time.strftime("%H:%M:%S", time.localtime(event.at))
            self._print(f"{clock} {clean(text)}")


def _told(event: Event, state: RunState) -> str:
    match event:
        case AgentStarted() if event.at - event.started_at > _ADOPTED_SECONDS:
            return f"▸ {event.task} still runs in slot {event.slot}"
        case AgentStarted():
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return f"▸ {event.task} started in slot {event.slot}{again}"
        case AgentExited() if event.failure is not None:
            return f"✗ {event.task}: {event.detail}"
        case AgentExited():
            return f"✓ {event.task} ended well"
        case BranchMoved():
            files = len(state.task(event.task).files)
            return f"✓ {event.task} landed as {event.commit[:9]}, {files} file{_s(files)}"
        case GateFinished() if not event.passed:
            return f"✗ {event.task}: the gate failed: {event.command}"
        case MergeConflicted():
            paths = ", ".join(file.path for file in event.files)
            against = f" with {', '.join(event.against)}" if event.against else ""
            return f"⇄ {event.task}: conflict in {paths}{against}; {_what_now(event, state)}"
        case ConflictDecided():
            return f"⇄ {event.task}: {event.by} chose {event.decision}"
        case RunAdopted():
            return f"run {state.run} is taken up again"
        case RunDrainRequested(kill=False):
            return "starting nothing more; waiting for what runs (again to end it now)"
        case RunDrainRequested():
            return "ending what runs; its work is kept"
        case RunLanded():
            return f"✓ {event.target}: {event.detail}"
        case RunLandRefused():
            return f"✗ not landed: {event.reason}"
        case Noticed():
            return f"! {event.text}"
        case _:
            return ""


def _what_now(event: MergeConflicted, state: RunState) -> str:
    waits = state.task(event.task).phase is Phase.CONFLICT
    return "it waits for a decision" if waits else "it runs again on the newest tip"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
