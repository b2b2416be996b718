"""The app: a host of one run at a time, and the screens over it.

The run's state flows down: the engine's publish sets `run_state`, screens bind it. What people want
flows up as messages. Screens are made by factories and bound to `run_state`, `session`, `draft` and
`conflict_task` of the app, as far as they have these attributes.
"""

from __future__ import annotations

import math
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import on, work
from textual.reactive import var

from pex_tui.core.model.phases import RunStage
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import PlanDraft
from pex_tui.errors import UserError
from pex_tui.tui.attention.alerts import alert, reading_seconds
from pex_tui.tui.keyboard.app_keys import APP_KEYS
from pex_tui.tui.keyboard.command_palette import KeyCommands
from pex_tui.tui.messages import (
    ConflictWanted,
    DraftOpened,
    InboxWanted,
    SessionOpened,
    StatePublished,
    Steer,
)
from pex_tui.tui.modes import MODES, make_screen
from pex_tui.tui.opening import Look, Opened, OpeningScreen, attended, dress, painted
from pex_tui.tui.requests import ask, drive
from pex_tui.tui.run_controller import (
    interrupted,
    leave,
    leave_stopped,
    replace_draft,
    why_it_stopped,
)
from pex_tui.tui.state_feed import StateFeed
from pex_tui.tui.symbols import SymbolSet
from pex_tui.tui.terminal.terminal_app import TerminalApp
from pex_tui.tui.theming import variable_defaults
from pex_tui.tui.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.binding import Binding, BindingType
    from textual.screen import Screen
    from textual.worker import Worker

    from pex_tui.core.model.ids import TaskId
    from pex_tui.core.model.state import RunState
    from pex_tui.engine.session import ProjectService, RunSession
    from pex_tui.tui.attention.needs import Attention
    from pex_tui.tui.opening import Opening


class PexApp(TerminalApp):
    """Shows a repository's runs and drives one; its `return_code` is what the command ends with."""

    CSS_PATH: ClassVar = "styles/app.tcss"
    TITLE = "pex"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  # as Textual declares it
    COMMANDS: ClassVar = TerminalApp.COMMANDS | {lambda: KeyCommands}
    BINDINGS: ClassVar[list[BindingType]] = APP_KEYS

    run_state: var[RunState | None] = var(None)
    session: var[RunSession | None] = var(None)
    draft: var[PlanDraft | None] = var(None)
    conflict_task: var[TaskId | None] = var(None)
    service: ProjectService
    symbols: SymbolSet

    def __init__(
        self,
        opening: Opened | Opening,
        *,
        classic: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._opening = opening
        self.is_classic = classic
        self.now = now
        self.engine_error = ""
        self.failure: UserError | None = None  # why the app could not open
        self._feed = StateFeed(self, partial(setattr, self, "run_state"))
        self._engine: Worker[None] | None = None
        self.leaves_when_over = False
        self.is_leaving = False
        self.wants_demo = False  # the user left for it
        self._attention: Attention | None = None
        self.look = Look()
        dress(self, opening.look if isinstance(opening, Opened) else self.look)

    def get_default_screen(self) -> Screen[None]:
        """What shows until the first real screen does."""
        return OpeningScreen(id="_default")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our colours under a theme that does not know them."""
        return variable_defaults(self.current_theme)

    def get_key_display(self, binding: Binding) -> str:
        """The key's name, as the symbols can show it."""
        return self.symbols.text(super().get_key_display(binding))

    def on_mount(self) -> None:
        """Make the screens known and show the first, once everything is read."""
        for mode in MODES:
            self.add_mode(mode.name, partial(make_screen, mode, PexApp, classic=self.is_classic))
        if isinstance(self._opening, Opened):
            self._begin(self._opening)
        else:
            self.typed.wait_for(self._open(self._opening), math.inf)

    @work(group="open", exclusive=True)
    async def _open(self, opening: Opening) -> None:
        await painted(self)
        try:
            opened = await attended(self, opening)
            dress(self, opened.look)
        except UserError as error:
            self.failure = error
            self.exit()
        else:
            self._begin(opened)

    def _begin(self, opened: Opened) -> None:
        self.service = opened.service
        if isinstance(opened.start, PlanDraft):
            self.open_draft(opened.start)
        elif opened.start == "home":
            self.action_show("home")
        else:
            self.open_session(opened.start)

    def action_show(self, screen: str) -> None:
        """Show a screen. It is made in the app's own context, where data binding is allowed."""
        self.call_later(self.switch_mode, screen)

    def action_help(self) -> None:
        """Show the keys."""
        from pex_tui.tui.screens.help import HelpScreen  # noqa: PLC0415  # late: rarely needed

        self.push_screen(HelpScreen(self.screen))

    def open_draft(self, draft: PlanDraft) -> None:
        """Review a plan."""
        self.draft = draft
        self.action_show("plan")

    def open_session(self, session: RunSession) -> None:
        """Drive and watch a run; an earlier one is no longer listened to."""
        self.engine_error = ""
        self.clear_notifications()
        self.session = session
        from pex_tui.tui.attention.needs import Attention  # noqa: PLC0415  # late: no run, no need

        self._attention = Attention(session.state)
        self._feed.follow(session)
        driving = partial(drive, self, session, WorkerPool(self))
        self._engine = self.run_worker(driving, group="engine", exit_on_error=False)
        self.action_show("monitor")

    @property
    def is_live(self) -> bool:
        """Whether a run is driven from here and has not ended."""
        has_ended = self.run_state is None or self.run_state.stage is RunStage.FINISHED
        return self.session is not None and not has_ended and not self.engine_error

    @on(StatePublished)
    def _published(self, message: StatePublished) -> None:
        self._feed.take(message.state)

    def watch_run_state(self, state: RunState | None) -> None:
        """Call for the user when the run needs one; leave when the stopped run has ended."""
        if state is None or self._attention is None:
            return
        for need in self._attention.needs(state):
            if need.is_urgent:
                self._alert(need.text)
            if need.is_news:
                self.tell(need.text, is_bad=True)
        if self.leaves_when_over and not self.is_leaving and state.stage is RunStage.FINISHED:
            self.is_leaving = True
            self.go(partial(leave_stopped, self, state))

    def _alert(self, text: str) -> None:
        """Have the terminal call its user."""
        if self._driver is not None:
            self._driver.write(alert(self.look.notify, text, os.environ))

    def tell(self, text: str, *, is_bad: bool = False) -> None:
        """Show a short note."""
        severity: Literal["warning", "information"] = "warning" if is_bad else "information"
        told = self.symbols.text(clean(text))
        self.notify(told, severity=severity, timeout=reading_seconds(text), markup=False)

    @on(Steer)
    def _steer(self, message: Steer) -> None:
        if (session := self.session) is not None:
            asking = ask(self, session, message.events)
            self.run_worker(asking, group="ask", exclusive=not session.is_driven)

    @on(SessionOpened)
    def _session_opened(self, message: SessionOpened) -> None:
        self.open_session(message.session)

    @on(DraftOpened)
    def _draft_opened(self, message: DraftOpened) -> None:
        self.typed.begin(self, "open draft", partial(replace_draft, self, message.draft))

    @on(InboxWanted)
    def _inbox_wanted(self) -> None:
        self.action_show("inbox")

    @on(ConflictWanted)
    def _conflict_wanted(self, message: ConflictWanted) -> None:
        conflicts = self.run_state.open_conflicts if self.run_state else ()
        task = message.task or (conflicts[0].tasks[0] if conflicts else None)
        if task is None:
            self.tell("No conflict is open.")
        else:
            self.conflict_task = task
            self.action_show("conflict")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """An engine that fails is shown, not swallowed; nothing that was journaled is lost."""
        if event.worker is self._engine and self.session and not self.is_leaving:
            self.engine_error = why_it_stopped(event.worker, self.session)
            if self.engine_error:
                self.notify(self.engine_error, severity="error", timeout=30, markup=False)
                self.mutate_reactive(PexApp.run_state)

    def action_leave(self) -> None:
        """Leave; while a run is live, ask what is to become of it."""
        if not self.is_leaving:
            self.typed.begin(self, "leave", partial(leave, self))

    def end_interrupted(self) -> None:
        """Leave without a question."""
        self.is_leaving = True
        self.go(partial(interrupted, self))

    @work(group="leave", exclusive=True)
    async def go(self, how: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Go away in this way."""
        await how()
