"""Terminal handling of the app: freezes, disconnects and signals at any moment."""

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
    """An app that ends cleanly, once, on a signal, a lost terminal or an error.

    `crash` is the error; `parting_words` are printed once the terminal is restored. Neither is
    printed here: a frozen terminal would block the rest.
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
        """Have keys and pasted text wait for what earlier keys open; clean pasted text."""
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
        """Return the unsaved edits in words; of one mode's screens, or of all."""
        found = (getattr(screen, "unsaved", "") for screen in self.screens_of(mode))
        return " ".join(filter(None, found))

    def screens_of(self, mode: str | None = None) -> list[Screen[Any]]:
        """Return the screens of a mode, or of all modes, visible or not."""
        stacks = self._screen_stacks
        return [one for name in stacks if mode in {None, name} for one in stacks[name]]

    def get_driver_class(self) -> type[TerminalDriver]:
        """Return the driver that never blocks."""
        return TerminalDriver

    def on_load(self) -> None:
        """Store the context in which interruptions are handled; one may have come already."""
        self._context_here = copy_context()
        if self._is_interrupted:
            self.call_later(self.end_interrupted)

    def interrupt(self) -> None:
        """End the app from outside; safe in signal handlers and on other threads."""
        is_first, self._is_interrupted = not self._is_interrupted, True
        if is_first and self._loop is not None and self._context_here is not None:
            self._loop.call_soon_threadsafe(self.end_interrupted, context=self._context_here)

    def end_interrupted(self) -> None:
        """End the app after an interruption."""
        raise NotImplementedError

    def restore_terminal(self) -> None:
        """Restore the terminal while the event loop is blocked."""
        if self._driver is not None:
            self._driver.stop_application_mode()
            self._driver.close()

    def _handle_exception(self, error: Exception) -> None:
        if self._exit:  # a half-made screen being torn down, which nobody is to see
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
    """Have signals interrupt the app; after the grace, `end` ends the process in any case.

    That loses nothing: all state is in the journal, and the lock is released with the process.
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
