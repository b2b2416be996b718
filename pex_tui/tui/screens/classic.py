"""The classic monitor: the specification's box for the same run, with the same keys."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult

from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.task_state import TaskState
from pex_tui.engine.session import Usage
from pex_tui.tui.screens.steering import SteeringScreen
from pex_tui.tui.widgets.classic.classic_box import ClassicBox
from pex_tui.tui.widgets.classic.classic_view import classic_view
from pex_tui.tui.widgets.key_footer import KeyFooter

_CLOCK_SECONDS = 1.0


class ClassicScreen(SteeringScreen):
    """One box: the run, its slots, and one line per task."""

    PLACE: ClassVar = "the classic monitor"
    HEARD_WITH: ClassVar = (ClassicBox,)
    CSS_PATH: ClassVar = "../styles/classic.tcss"
    AUTO_FOCUS = "ClassicBox"

    def __init__(self) -> None:
        super().__init__()
        self._usage: Usage | None = None

    def compose(self) -> ComposeResult:
        """Compose the box and the keys."""
        yield ClassicBox()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Start the timers for elapsed times and for resources."""
        self.set_interval(_CLOCK_SECONDS, self._tick)
        self.set_interval(self.pex.look.refresh_seconds, self.measure)
        self.measure()
        self.show_state()

    def on_screen_resume(self) -> None:
        """Update after another screen was shown."""
        self.show_state()

    def watch_run_state(self) -> None:
        """Show a newly published state."""
        self.show_state()

    def watch_session(self) -> None:
        """Reset the measurements for another run."""
        self._usage = None
        if self.is_mounted:
            self.measure()

    def _tick(self) -> None:
        state = self.run_state
        if state is not None and state.stage is not RunStage.FINISHED:
            self.show_state()

    def show_state(self) -> None:
        """Put the state into the box, which repaints only what differs."""
        state = self.run_state
        if state is None or not self.is_mounted or not self.is_current:
            return
        box = self.query_one(ClassicBox)
        now = state.now if self.pex.engine_error else self.pex.now()
        box.view = classic_view(
            state,
            now,
            self._usage,
            self.pex.engine_error,
            has_figures=self.pex.look.has_figures,
        )
        self.check_keys()

    def selected(self) -> tuple[TaskState, ...]:
        """Return the task under the cursor."""
        state = self.run_state
        if state is None or not self.is_mounted:
            return ()
        task = self.query_one(ClassicBox).cursor
        return (state.task(task),) if task is not None and task in state.graph.index else ()

    @on(ClassicBox.Moved)
    def _moved(self) -> None:
        self.check_keys()

    @work(group="usage", exclusive=True)
    async def measure(self) -> None:
        """Measure resource usage, unless no task can use any."""
        state, session = self.run_state, self.session
        if state is None or session is None or state.stage is RunStage.FINISHED:
            return
        self._usage = await session.usage()
        self.show_state()
