"""Requests to agents and to the run, from any screen that shows them."""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.reactive import var

from pex_tui.core.events.agent_events import MessageSent
from pex_tui.core.events.run_events import (
    BoostToggled,
    Event,
    LandRequested,
    RunAbortRequested,
    RunPauseRequested,
    RunResumeRequested,
    SlotsRequested,
)
from pex_tui.core.formatting import counted
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.run_refs import attempt_ref
from pex_tui.core.model.run_rules import MOST_SLOTS
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.engine.session import RunSession
from pex_tui.tui.keyboard import keys
from pex_tui.tui.keyboard.typed_ahead import command
from pex_tui.tui.messages import ConflictWanted, Steer
from pex_tui.tui.screens.modals import ConfirmScreen, LineScreen
from pex_tui.tui.screens.pex_screen import PexScreen


class SteeringScreen(PexScreen):
    """A screen over a run; lower-case keys act on the `selected` tasks."""

    BINDINGS: ClassVar[list[BindingType]] = keys.STEERING_KEYS

    run_state: var[RunState | None] = var(None)
    session: var[RunSession | None] = var(None)

    def __init__(self) -> None:
        super().__init__()
        self._allowed: tuple[bool, ...] = ()

    def selected(self) -> tuple[TaskState, ...]:
        """Return the marked tasks, or the one under the cursor."""
        raise NotImplementedError

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        """Return why a key has no effect on the selected tasks or the run."""
        del parameters
        if self.is_hidden(action):
            return "no agent of this run accepts messages now"
        return keys.why_not(action, self.run_state, self.selected())

    def is_hidden(self, action: str) -> bool:
        """Leave out messages in a run of plain commands."""
        state = self.run_state
        return action == "message" and not (state and any(task.listens for task in state.tasks))

    def check_keys(self) -> None:
        """Refresh the footer only if the set of enabled keys changes."""
        state, tasks = self.run_state, self.selected()
        allowed = tuple(
            not keys.why_not(action, state, tasks)
            for action in (
                "pause",
                "boost",
                "retry",
                "abort",
                "conflict",
                "message",
                "land",
                "pause_run",
            )
        )
        if allowed != self._allowed:
            self._allowed = allowed
            self.refresh_bindings()

    def action_copy(self) -> None:
        """Copy the branch of the task's last attempt, or the task's id, to the clipboard."""
        state, tasks = self.run_state, self.selected()
        if state is not None and tasks:
            words = [attempt_ref(state.run, t.id, t.attempt) if t.attempt else t.id for t in tasks]
            self.app.copy_to_clipboard("\n".join(words))
            self.pex.tell(
                f"Copied {words[0]}" + (f" and {len(words) - 1} more" if words[1:] else "")
            )

    def _ask(self, events: Sequence[Event]) -> None:
        if events:
            self.post_message(Steer(tuple(events)))

    def action_pause(self) -> None:
        """Pause the selected agents, or resume them."""
        self._ask(keys.pauses(self.selected()))

    def action_boost(self) -> None:
        """Move the selected tasks to the front of the queue, or back."""
        self._ask(keys.boosts(self.selected()))

    @command
    async def action_retry(self) -> None:
        """Retry; ask first about running tasks, because their attempt is stopped."""
        tasks = self._following()

        def live() -> str:
            names = _names(task for task in tasks() if task.phase in keys.LOSES_ITS_PROCESS)
            return f"{names}: the running attempt is stopped and a new one starts." if names else ""

        gone = f"{_names(tasks())}: no longer running."
        if not live() or await self._confirmed("Retry?", live, "Retry", gone):
            self._ask(keys.retries(tasks()))

    @command
    async def action_abort(self) -> None:
        """Abort the selected tasks, once confirmed."""
        tasks = self._following()

        def live() -> str:
            names = _names(task for task in tasks() if keys.aborts([task]))
            kept = "Work so far is kept under refs/pex."
            return f"{names}: stopped for good. {kept}" if names else ""

        if await self._confirmed("Abort?", live, "Abort", f"{_names(tasks())}: has ended."):
            self._ask(keys.aborts(tasks()))

    @command
    async def action_message(self) -> None:
        """Send a message to the selected agents that accept one."""
        tasks = self._following()

        def title() -> str:
            names = _names(keys.listeners(tasks()))
            return f"Message to {names}" if names else ""

        gone = f"{_names(keys.listeners(tasks()))}: no longer accepts messages"
        text = await self.app.push_screen_wait(LineScreen(title, "⏎ sends", gone=gone))
        if text:
            self._ask([MessageSent(one.id, text, keys.YOU) for one in keys.listeners(tasks())])

    def action_conflict(self) -> None:
        """Resolve the selected task's conflict, or the oldest."""
        state = self.run_state
        if state is not None:
            theirs = {conflict.tasks[0] for conflict in state.open_conflicts}
            mine = next((task.id for task in self.selected() if task.id in theirs), None)
            self.post_message(ConflictWanted(mine))

    def action_pause_run(self) -> None:
        """Freeze the whole run, or resume it."""
        paused = self.run_state is not None and self.run_state.stage is RunStage.PAUSED
        self._ask([RunResumeRequested(by=keys.YOU) if paused else RunPauseRequested(by=keys.YOU)])

    def action_boost_run(self) -> None:
        """Switch the emergency boost on or off."""
        state = self.run_state
        if state is not None:
            before, most = state.capacity_before_boost, state.rules.emergency_slots
            self.pex.tell(f"Boost: {most} slots." if before is None else f"Back to {before} slots.")
        self._ask([BoostToggled(by=keys.YOU)])

    @command
    async def action_abort_run(self) -> None:
        """Abort every task, once confirmed."""
        run = self.run_state.run if self.run_state else None

        def live() -> str:
            state = self.pex.run_state
            if state is None or state.run != run or keys.why_not("abort_run", state, ()):
                return ""
            return (
                "Every task that has not ended is stopped now. Work so far is kept under refs/pex, "
                f"what has landed stays landed, and `pex-tui resume {run}` continues the run."
            )

        if await self._confirmed("Abort the run?", live, "Abort the run", "The run has ended."):
            self._ask([RunAbortRequested(by=keys.YOU)])

    def action_slots(self, step: int) -> None:
        """Add or remove a slot; fewer slots drain, no task is killed."""
        if self.run_state is not None:
            slots = max(1, min(MOST_SLOTS, self.run_state.capacity + step))
            self.pex.tell(f"{counted(slots, 'slot')} from now on.")
            self._ask([SlotsRequested(slots=slots, by=keys.YOU)])

    def action_land(self) -> None:
        """Land the run on the branch that it started from."""
        self._ask([LandRequested(by=keys.YOU)])

    def _following(self) -> Callable[[], tuple[TaskState, ...]]:
        """Return a function for the current selection, evaluated at each call."""
        run = self.run_state.run if self.run_state else None
        selected = [task.id for task in self.selected()]

        def follow() -> tuple[TaskState, ...]:
            state = self.pex.run_state
            if state is None or state.run != run:
                return ()
            return tuple(state.task(task) for task in selected)

        return follow

    async def _confirmed(self, title: str, text: Callable[[], str], yes: str, gone: str) -> bool:
        question = ConfirmScreen(title, text, yes, gone=gone)
        return await self.app.push_screen_wait(question)


def _names(tasks: Iterable[TaskState]) -> str:
    return ", ".join(task.id for task in tasks)
