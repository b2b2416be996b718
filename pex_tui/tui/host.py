"""The part of the app that screens and the run controller use: shown values and notifications."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from textual.reactive import var

from pex_tui.core.sanitize import clean
from pex_tui.tui.attention.alerts import alert, reading_seconds
from pex_tui.tui.look import Look
from pex_tui.tui.terminal.terminal_app import TerminalApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from pex_tui.core.model.ids import TaskId
    from pex_tui.core.model.state import RunState
    from pex_tui.engine.session import PlanDraft, ProjectService, RunSession
    from pex_tui.tui.symbols import SymbolSet


class AppHost(TerminalApp):
    """The app, as its parts see it; screens bind the values that change."""

    run_state: var[RunState | None] = var(None)
    session: var[RunSession | None] = var(None)
    draft: var[PlanDraft | None] = var(None)
    conflict_task: var[TaskId | None] = var(None)
    service: ProjectService
    symbols: SymbolSet

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self.now = now
        self.look = Look()
        self.engine_error = ""

    def action_show(self, screen: str) -> None:
        """Show a screen, made in the app's own context, where data binding is allowed."""
        self.call_later(self.switch_mode, screen)

    def tell(self, text: str, *, is_bad: bool = False) -> None:
        """Show a short notification."""
        severity: Literal["warning", "information"] = "warning" if is_bad else "information"
        told = self.symbols.text(clean(text))
        self.notify(told, severity=severity, timeout=reading_seconds(text), markup=False)

    def call_user(self, text: str) -> None:
        """Alert the user through the terminal."""
        if self._driver is not None:
            self._driver.write(alert(self.look.notify, text, os.environ))
