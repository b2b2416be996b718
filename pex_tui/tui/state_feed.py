"""The flow of a run's states to the screen: always the newest, at most ten per second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.app import App

from pex_tui.core.model.phases import RunStage
from pex_tui.tui.messages import StatePublished

if TYPE_CHECKING:
    from pex_tui.core.model.state import RunState
    from pex_tui.engine.session import RunSession

PUBLISH_SECONDS = 0.1


class StateFeed:
    """Listens to one run at a time for the app; `show` receives the states."""

    def __init__(self, app: App[Any], show: Callable[[RunState], None]) -> None:
        self._app = app
        self._show = show
        self._session: RunSession | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._shown_at = 0.0
        self._is_due = False

    def follow(self, session: RunSession) -> None:
        """Listen to this run, and no longer to another."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._session = session
        self._unsubscribe = session.subscribe(self._heard)
        self._show_now(session.state)

    def _heard(self, state: RunState) -> None:
        self._app.post_message(StatePublished(state))

    def take(self, state: RunState) -> None:
        """Show a state, now or soon; drop one of a run that is no longer followed."""
        if self._session is None or state.run != self._session.state.run:
            return
        left = self._shown_at + PUBLISH_SECONDS - time.monotonic()
        if left <= 0 or state.stage is RunStage.FINISHED:
            self._show_now(state)
        elif not self._is_due:
            self._is_due = True
            self._app.set_timer(left, self._show_newest)

    def _show_newest(self) -> None:
        self._is_due = False
        if self._session is not None:
            self._show_now(self._session.state)

    def _show_now(self, state: RunState) -> None:
        self._shown_at = time.monotonic()
        self._show(state)
