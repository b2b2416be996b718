"""A shim's signals, as bytes in a pipe that its selector watches."""

import os
import signal
from collections.abc import Collection
from contextlib import suppress

# A handler, unlike "ignore", is not inherited by the program.
_HANDLED = ("SIGCHLD", "SIGTERM", "SIGUSR1", "SIGHUP", "SIGINT", "SIGQUIT")

# A caller that starts us with these ignored means it: nohup, or a shell's background job.
ENDINGS = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM})
_PYTHONS = frozenset({signal.SIGPIPE, signal.SIGXFSZ})


def use_defaults(*, besides: Collection[signal.Signals] = ()) -> None:
    """Reset signals to their defaults and unblock all: children inherit these settings.

    tmux, for one, passes on that SIGTTIN and SIGTTOU are ignored. SIGPIPE and SIGXFSZ, which Python
    ignores, are reset for each program when it is started.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, *_PYTHONS, *besides}:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class Signals:
    """Catches the signals of a shim; none interrupts what it is doing."""

    def __init__(self) -> None:
        self._pipe, wakeup = os.pipe()
        os.set_blocking(self._pipe, False)
        os.set_blocking(wakeup, False)
        for name in _HANDLED:
            signal.signal(signal.Signals[name], lambda *_: None)  # the wakeup pipe has the number
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Return a descriptor that is readable while a signal is pending."""
        return self._pipe

    def take(self) -> bytes:
        """Return the numbers of the signals since the last call."""
        with suppress(BlockingIOError):
            return os.read(self._pipe, 4096)
        return b""
