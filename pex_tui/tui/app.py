"""The app: it hosts one run at a time and shows screens over it.

The run's state flows down: the engine's publish sets `run_state`, and screens bind it. Requests
flow up as messages. Screens are made by factories and bound to the app's `run_state`, `session`,
`draft` and `conflict_task`, as far as they have these attributes.
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work

from pex_tui.engine.session import PlanDraft
from pex_tui.errors import UserError
from pex_tui.tui.host import AppHost
from pex_tui.tui.keyboard.app_keys import APP_KEYS
from pex_tui.tui.keyboard.command_palette import KeyCommands
from pex_tui.tui.messages import (
    ConflictWanted,
    DemoWanted,
    DraftOpened,
    InboxWanted,
    SessionOpened,
    StatePublished,
    Steer,
)
from pex_tui.tui.modes import MODES
from pex_tui.tui.opening import Opened, OpeningScreen, dress, painted
from pex_tui.tui.run_controller import RunController
from pex_tui.tui.screen_factory import make_screen
from pex_tui.tui.theming import variable_defaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import Binding, BindingType
    from textual.screen import Screen
    from textual.worker import Worker

    from pex_tui.core.model.state import RunState
    from pex_tui.engine.session import RunSession
    from pex_tui.tui.opening import Opening


class PexApp(AppHost):
    """Shows a repository's runs and drives one; `return_code` is the command's exit code."""

    CSS_PATH: ClassVar = "styles/app.tcss"
    TITLE = "pex"
    COMMANDS: ClassVar = AppHost.COMMANDS | {lambda: KeyCommands}
    BINDINGS: ClassVar[list[BindingType]] = APP_KEYS

    def __init__(
        self,
        opening: Opened | Opening,
        *,
        classic: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(now)
        self._opening = opening
        self.is_classic = classic
        self.controller = RunController(self)
        self.failure: UserError | None = None  # the reason the app could not open
        self.wants_demo = False  # the user left for it
        dress(self, opening.look if isinstance(opening, Opened) else self.look)

    def get_default_screen(self) -> Screen[None]:
        """Return the screen shown until the first real one is ready."""
        return OpeningScreen(id="_default")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our colours for themes that do not define them."""
        return variable_defaults(self.current_theme)

    def get_key_display(self, binding: Binding) -> str:
        """Return the key's name, as the symbol set can show it."""
        return self.symbols.text(super().get_key_display(binding))

    def on_mount(self) -> None:
        """Register the screens and show the first, once everything is read."""
        for mode in MODES:
            self.add_mode(mode.name, partial(make_screen, mode, classic=self.is_classic))
        if isinstance(self._opening, Opened):
            self._begin(self._opening)
        else:
            self.typed.wait_for(self._open(self._opening), math.inf)

    @work(group="open", exclusive=True)
    async def _open(self, opening: Opening) -> None:
        await painted(self)
        from pex_tui.tui.screens.planning import attended  # noqa: PLC0415  # after the first picture

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

    def action_help(self) -> None:
        """Show the keys."""
        from pex_tui.tui.screens.help import HelpScreen  # noqa: PLC0415  # late: rarely needed

        self.push_screen(HelpScreen(self.screen))

    def open_draft(self, draft: PlanDraft) -> None:
        """Review a plan."""
        self.draft = draft
        self.action_show("plan")

    def open_session(self, session: RunSession) -> None:
        """Drive and show a run."""
        self.controller.open(session)

    def watch_run_state(self, state: RunState | None) -> None:
        """Have the controller look at every state that is shown."""
        if state is not None:
            self.controller.watch(state)

    @on(StatePublished)
    def _published(self, message: StatePublished) -> None:
        self.controller.take(message.state)

    @on(Steer)
    def _steer(self, message: Steer) -> None:
        self.controller.steer(message.events)

    @on(SessionOpened)
    def _session_opened(self, message: SessionOpened) -> None:
        self.open_session(message.session)

    @on(DraftOpened)
    def _draft_opened(self, message: DraftOpened) -> None:
        self.typed.begin(self, "open draft", partial(self._replace_draft, message.draft))

    async def _replace_draft(self, draft: PlanDraft) -> None:
        """Review another plan, once changes to the current one may be discarded."""
        from pex_tui.tui.screens.modals import may_discard  # noqa: PLC0415  # late: rarely needed

        if await may_discard(self, partial(self.unsaved, "plan")):
            await self.controller.keep_discarded()
            self.open_draft(draft)

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

    @on(DemoWanted)
    def _demo_wanted(self) -> None:
        self.typed.begin(self, "leave", self._leave_for_demo)

    async def _leave_for_demo(self) -> None:
        await self.controller.leave()
        self.wants_demo = self.controller.will_leave

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Have the controller notice the end of its engine."""
        self.controller.engine_changed(event.worker)

    def action_leave(self) -> None:
        """Leave; during a live run, ask what to do with it."""
        if not self.controller.is_leaving:
            self.typed.begin(self, "leave", self.controller.leave)

    def end_interrupted(self) -> None:
        """Leave without asking."""
        self.controller.end_interrupted()
