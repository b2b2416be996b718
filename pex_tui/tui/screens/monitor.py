"""The monitor: a live run, and the keys that control it."""

from collections import deque
from typing import ClassVar

from msgspec.structs import replace
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from pex_tui.core.formatting import total
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.views.status import Status
from pex_tui.core.views.timeline import timeline_view
from pex_tui.core.views.view_models import header_view, task_rows
from pex_tui.tui.keyboard import keys
from pex_tui.tui.screens.steering import SteeringScreen
from pex_tui.tui.widgets.agents import SORTS, AgentList
from pex_tui.tui.widgets.cards import SlotCards
from pex_tui.tui.widgets.detail import DetailPanel
from pex_tui.tui.widgets.header import RunHeader, UsageView
from pex_tui.tui.widgets.key_footer import KeyFooter
from pex_tui.tui.widgets.metrics import MetricsPanel
from pex_tui.tui.widgets.notice import Notice
from pex_tui.tui.widgets.painting import symbols_of
from pex_tui.tui.widgets.timeline import Timeline

_CLOCK_SECONDS = 1.0
_AXIS_SECONDS = 5.0  # the time axis moves no more often by itself
_MEASUREMENTS = 60


class MonitorScreen(SteeringScreen):
    """The agents as rows, one of them in detail, and the timeline."""

    PLACE: ClassVar = "the monitor"
    HEARD_WITH: ClassVar = (AgentList,)
    CSS_PATH: ClassVar = "../styles/monitor.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-panorama")]  # noqa: RUF012  # as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]  # noqa: RUF012  # likewise
    DEFAULT_CLASSES = "-wide -tall"  # most are, and need no other style once their size is known
    AUTO_FOCUS = "AgentList"
    BINDINGS: ClassVar[list[BindingType]] = keys.MONITOR_KEYS

    def __init__(self) -> None:
        super().__init__()
        self._situation: object = None
        self._second = 0
        self._seen: RunState | None = None
        self._axis_due_at = 0.0
        self._measured: deque[tuple[float, int, int, float]] = deque(maxlen=_MEASUREMENTS)

    def compose(self) -> ComposeResult:
        """Compose header, notice, list or cards, detail, timeline and figures."""
        yield RunHeader()
        yield Notice(classes="-hidden")
        with Vertical(id="agents", classes="panel"):
            yield AgentList()
            yield SlotCards(classes="-hidden")
            yield Input(placeholder="filter", classes="-hidden", compact=True)
        with Horizontal(id="below"):
            yield DetailPanel(id="detail")
            yield Timeline(classes="panel")
            yield MetricsPanel(classes="panel")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Start the timers for elapsed times and for resources."""
        self.query_one(Timeline).border_title = "Timeline"
        self.query_one(MetricsPanel).border_title = "Figures"
        self.query_one(MetricsPanel).set_class(not self.pex.look.has_figures, "-off")
        self.query_one(AgentList).detail = self.pex.look.detail
        self.set_interval(_CLOCK_SECONDS, self._tick)
        self.set_interval(self.pex.look.refresh_seconds, self.measure)
        self.measure()
        self.show_state()

    def on_screen_resume(self) -> None:
        """Update after another screen was shown."""
        self._show_anew()

    def on_resize(self) -> None:
        """Compute the timeline again, which depends on the width in cells."""
        self.call_after_refresh(self._show_anew)

    def _show_anew(self) -> None:
        self._situation = None
        self.show_state()

    def watch_run_state(self) -> None:
        """Show a newly published state."""
        self.show_state()

    def watch_session(self) -> None:
        """Reset the measurements for another run."""
        self._measured.clear()
        if self.is_mounted:
            self.measure()

    @on(SlotCards.Picked)
    def _picked(self, message: SlotCards.Picked) -> None:
        self.query_one(AgentList).cursor = message.task

    def _tick(self) -> None:
        state = self.run_state
        if state is not None and state.stage is not RunStage.FINISHED:
            self.show_state()

    def show_state(self) -> None:
        """Slice the state for the widgets, each of which repaints only what differs."""
        if not self.is_mounted or not self.is_current:
            return
        state = self.run_state
        if state is None:
            return
        lost = self.pex.engine_error  # nothing is known since its last event
        now = state.now if lost else self.pex.now()
        agents = self.query_one(AgentList)
        agents.run = state.run
        agents.rows = task_rows(state, now)
        statuses = tuple(row.status for row in agents.rows)
        order = tuple(row.id for row in agents.shown)
        settings = replace(state, tasks=(), kept=None, now=0.0, seq=0)
        situation = (settings, statuses, order, self.pex.engine_error)
        is_new = situation != self._situation
        if is_new or int(now) != self._second:
            self._situation, self._second = situation, int(now)
            self._show_run(state, now, is_new=is_new)
        self.query_one(DetailPanel).update(state, self.session, now)

    def _show_run(self, state: RunState, now: float, *, is_new: bool) -> None:
        """Update what depends on the state, and once a second what depends on time."""
        agents, cards = self.query_one(AgentList), self.query_one(SlotCards)
        timeline, metrics = self.query_one(Timeline), self.query_one(MetricsPanel)
        header = header_view(state, now)
        if self.pex.engine_error:
            header = replace(header, status=Status.FAILED, stage="not driven", eta="")
        self.query_one(RunHeader).view = header
        if cards.display:
            cards.show(header.slots, agents.rows, agents.cursor)
        if metrics.display:
            metrics.view, metrics.queue = header, state.landing
        if is_new or state is not self._seen:
            self._seen = state
            self.query_one(Notice).update(state, self.pex.engine_error)
            timeline.order, timeline.cursor = agents.shown, agents.cursor
            self._titled()
            self.check_keys()
        if is_new or now >= self._axis_due_at:
            width = timeline.axis_width
            timeline.view = timeline_view(state, now, width)
            self._axis_due_at = now + max(_AXIS_SECONDS, (now - state.created_at) / width)

    def _titled(self) -> None:
        agents = self.query_one(AgentList)
        panel = self.query_one("#agents")
        show = symbols_of(agents).text
        marked = f" · {len(agents.chosen)} marked" if agents.chosen else ""
        shown = f"{len(agents.shown)} of " if agents.needle else ""
        title = show(f"Agents {shown}{len(agents.rows)}{marked}")
        if panel.border_title != title:
            panel.border_title = title
        subtitle = f"sort: {agents.sort}"
        if panel.border_subtitle != subtitle:
            panel.border_subtitle = subtitle

    def selected(self) -> tuple[TaskState, ...]:
        """Return the marked tasks, or the one under the cursor."""
        state = self.run_state
        if state is None or not self.is_mounted:
            return ()
        targets = self.query_one(AgentList).targets
        return tuple(state.task(task) for task in targets if task in state.graph.index)

    @on(AgentList.Moved)
    def _moved(self, message: AgentList.Moved) -> None:
        self.query_one(DetailPanel).task_id = message.task
        self.query_one(Timeline).cursor = message.task
        self.query_one(SlotCards).cursor = message.task
        self._titled()
        self.check_keys()

    @on(AgentList.Opened)
    def _opened(self) -> None:
        self._zoom()
        self.query_one(DetailPanel).view.focus()

    def _zoom(self) -> None:
        """Show the details alone."""
        self.add_class("-zoomed")
        self.call_after_refresh(self._show_anew)

    def action_back(self) -> None:
        """Leave the zoom, the filter or the marks, in this order."""
        agents = self.query_one(AgentList)
        field = self.query_one(Input)
        if self.has_class("-zoomed"):
            self.remove_class("-zoomed")
            self.call_after_refresh(self._show_anew)
        elif not field.has_class("-hidden"):
            field.value = ""
            field.add_class("-hidden")
        elif agents.chosen:
            agents.clear_marks()
        agents.focus()
        self._titled()
        self.check_keys()

    def action_panel(self, step: int) -> None:
        """Move the focus between the visible panels."""
        panels = [
            self.query_one(AgentList),
            self.query_one(DetailPanel).view,
            self.query_one(Timeline),
        ]
        shown = [panel for panel in panels if panel.is_on_screen]
        at = next((at for at, panel in enumerate(shown) if panel.has_focus), 0)
        if shown:
            shown[(at + step) % len(shown)].focus()

    def action_tab(self, tab: str) -> None:
        """Show another view of the task, alone where the screen is too low for both."""
        panel = self.query_one(DetailPanel)
        panel.tab = tab
        if not panel.is_on_screen:
            self._zoom()
            panel.view.focus()

    def action_follow(self) -> None:
        """Toggle following the end of the log."""
        self.query_one(DetailPanel).toggle_follow()

    def action_view(self) -> None:
        """Toggle between rows of agents and cards of slots."""
        agents, cards = self.query_one(AgentList), self.query_one(SlotCards)
        agents.toggle_class("-hidden")
        cards.toggle_class("-hidden")
        self.query_one("#agents").set_class(not cards.has_class("-hidden"), "-cards")
        self._show_anew()
        (agents if cards.has_class("-hidden") else cards).focus()

    def action_sort(self) -> None:
        """Use the next sort order."""
        agents = self.query_one(AgentList)
        agents.sort = SORTS[(SORTS.index(agents.sort) + 1) % len(SORTS)]
        self._show_anew()

    def action_filter(self) -> None:
        """Open the filter."""
        field = self.query_one(Input)
        field.remove_class("-hidden")
        field.focus()

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        self.query_one(AgentList).needle = event.value
        self._show_anew()

    @on(Input.Submitted)
    def _filter_kept(self) -> None:
        if not self.query_one(Input).value:
            self.query_one(Input).add_class("-hidden")
        self.query_one(AgentList).focus()

    @work(group="usage", exclusive=True)
    async def measure(self) -> None:
        """Measure resource usage, unless no task can use any or it is not shown."""
        state, session = self.run_state, self.session
        if (
            not self.pex.look.has_figures
            or state is None
            or session is None
            or state.stage is RunStage.FINISHED
        ):
            return
        usage = await session.usage()
        spent = (
            total(task.tokens for task in state.tasks) or 0,
            total(task.cost_usd for task in state.tasks) or 0.0,
        )
        self._measured.append((usage.cpu, usage.memory_bytes, *spent))
        history = UsageView(*zip(*self._measured, strict=True))
        metrics = self.query_one(MetricsPanel)
        if len(self._measured) == 1:
            self.query_one(RunHeader).usage = history  # the first shows at once
        self.query_one(RunHeader).set_reactive(RunHeader.usage, history)  # the next second shows it
        metrics.set_reactive(MetricsPanel.history, history)
        metrics.set_reactive(MetricsPanel.usage, usage)
