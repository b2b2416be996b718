"""What the app owes its terminal: it may freeze, go away, or a signal may come, at any moment."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from textual import on
from textual.events import Event, Key, Paste

from pex_tui.core.sanitize import clean_text
from pex_tui.tui.keyboard.typed_ahead import PassedThrough, TypedAhead
from pex_tui.tui.terminal.driver import InterruptibleApp, TerminalDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from textual.screen import Screen

INTERRUPTED = 130
GRACE_SECONDS = 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_FROM_KEYBOARD = frozenset({signal.SIGINT, signal.SIGQUIT})


class TerminalApp(InterruptibleApp):
    """An app that a signal, a lost terminal and an error end in good order, once.

    `crash` is the error; `parting_words` are for the terminal once it is the user's again. Neither
    is printed here: a frozen terminal would hold up the rest.
    """

    def __init__(self) -> None:
        super().__init__()
        self.crash: Exception | None = None
        self.parting_words = ""
        self.lends_terminal = False  # to an editor: keys that send signals are meant for it
        self._context_here: Context | None = None
        self._is_interrupted = False
        self.typed = TypedAhead(self, super().on_event)

    async def on_event(self, event: Event) -> None:
        """Have keys and what is pasted wait for what earlier keys open; a paste is cleaned."""
        if isinstance(event, Paste):
            event.text = clean_text(event.text)
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            await self.typed.take(event)
        else:
            await super().on_event(event)

    @on(PassedThrough)
    def _has_passed(self, message: PassedThrough) -> None:
        self.call_later(message.has_arrived.set)

    def unsaved(self, mode: str | None = None) -> str:
        """What was edited and would be lost, in words; of one mode's screens, or of all."""
        found = (getattr(screen, "unsaved", "") for screen in self.screens_of(mode))
        return " ".join(filter(None, found))

    def screens_of(self, mode: str | None = None) -> list[Screen[Any]]:
        """The screens of a mode, or of all modes, whether they show or not."""
        stacks = self._screen_stacks
        return [one for name in stacks if mode in {None, name} for one in stacks[name]]

    def get_driver_class(self) -> type[TerminalDriver]:
        """The driver that never waits."""
        return TerminalDriver

    def on_load(self) -> None:
        """Remember the context that interruptions are handled in; one may have come already."""
        self._context_here = copy_context()
        if self._is_interrupted:
            self.call_later(self.end_interrupted)

    def interrupt(self) -> None:
        """End the app because it has to; safe in signal handlers and on other threads."""
        is_first, self._is_interrupted = not self._is_interrupted, True
        if is_first and self._loop is not None and self._context_here is not None:
            self._loop.call_soon_threadsafe(self.end_interrupted, context=self._context_here)

    def end_interrupted(self) -> None:
        """End the app in the way of an interruption."""
        raise NotImplementedError

    def restore_terminal(self) -> None:
        """Give the terminal back while the event loop is stuck."""
        if self._driver is not None:
            self._driver.stop_application_mode()
            self._driver.close()

    def _handle_exception(self, error: Exception) -> None:
        if self._exit:  # a screen that is torn down half made; nobody is to see it any more
            return
        self.crash = self.crash or error
        super()._handle_exception(error)

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()


@contextmanager
def signals_heeded(
    app: TerminalApp,
    *,
    grace_seconds: float = GRACE_SECONDS,
    end: Callable[[int], object] = os._exit,
) -> Iterator[None]:
    """Have signals interrupt the app; after the grace, `end` ends the process whatever it does.

    That loses nothing: what counts is in the journal, and the lock goes with the process.
    """
    over, armed = threading.Event(), threading.Event()

    def last_resort() -> None:
        if not over.wait(grace_seconds):
            app.restore_terminal()
            end(INTERRUPTED)

    def heed(number: int, frame: FrameType | None) -> None:
        del frame
        if app.lends_terminal and number in _FROM_KEYBOARD:
            return
        if not armed.is_set():
            armed.set()
            threading.Thread(target=last_resort, name="last resort", daemon=True).start()
        app.interrupt()

    before = {number: signal.signal(number, heed) for number in _SIGNALS}
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)
