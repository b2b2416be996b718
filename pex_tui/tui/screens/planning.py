"""The dialog while an agent plans: its activity, the elapsed time, and a way to skip it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from pex_tui.core.formatting import clock
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import Planning

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from pex_tui.tui.host import AppHost

Made = TypeVar("Made")

_LINES = 5


async def attended(app: AppHost, make: Callable[[Planning], Awaitable[Made]]) -> Made:
    """Return what `make` answers; while an agent with a model plans for it, a box says so."""
    skip = asyncio.Event()
    box: PlanningScreen | None = None

    def tell(line: str) -> None:
        nonlocal box
        if box is None:
            box = PlanningScreen(skip.set, app.now)
            app.push_screen(box)
        box.tell(line)

    try:
        return await make(Planning(tell, skip))
    finally:
        if box is not None and box in app.screen_stack:
            await box.dismiss()


class PlanningScreen(ModalScreen[None]):
    """The planner's latest actions; escape has the plan made by rules instead."""

    CSS_PATH: ClassVar = "../styles/modals.tcss"
    AUTO_FOCUS = ""  # a repeated ⏎ must not stop the agent
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,r", "skip", "Plan by rules", show=False)
    ]

    def __init__(self, skip: Callable[[], None], now: Callable[[], float]) -> None:
        super().__init__()
        self._skip = skip
        self._now = now
        self._since = now()
        self._told: deque[str] = deque(maxlen=_LINES)
        self._is_skipped = False

    def compose(self) -> ComposeResult:
        """Compose the activity and one button."""
        with Vertical(classes="question"):
            yield Static("An agent plans this goal", classes="title", markup=False)
            yield Static("", id="told", markup=False)
            with Horizontal(classes="answers"):
                yield Button("esc  Plan by rules instead", id="rules", compact=True)

    def on_mount(self) -> None:
        """Start the timer."""
        self.set_interval(1.0, self._show)
        self._show()

    def tell(self, line: str) -> None:
        """Show one more action."""
        if not self._told or self._told[-1] != line:
            self._told.append(line)
            self._show()

    def on_button_pressed(self) -> None:
        """Skip the planner, by mouse."""
        self.action_skip()

    def action_skip(self) -> None:
        """Have the plan made by rules."""
        self._is_skipped = True
        self._skip()
        self._show()

    def _show(self) -> None:
        took = clock(self._now() - self._since)
        last = "Stopping the agent; planning by rules." if self._is_skipped else took
        for place in self.query("#told").results(Static):  # none before it is composed
            place.update("\n".join([*map(clean, self._told), "", last]))
