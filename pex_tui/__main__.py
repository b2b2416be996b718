"""`pex-tui` and `python -m pex_tui`: a command as a process of its own."""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False  # typing costs 5 ms, in which Ctrl+C would print a traceback
if TYPE_CHECKING:
    from typing import NoReturn

_INTERRUPTED = 130


def program() -> NoReturn:
    """Run the command of `sys.argv`, then end this process with its exit code.

    The interpreter is not taken apart: that is a sixth of a short command's time, and a terminal
    that is gone would make it end with 120. Nothing is in flight: a command joins its threads.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # Ctrl+C among imports is a traceback, or lost
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from pex_tui.cli.main import main  # noqa: PLC0415  # large

    signal.signal(signal.SIGINT, handler)
    try:
        code = main()
    except SystemExit as error:  # argparse's, which has printed all that there is to say
        code = error.code if isinstance(error.code, int) else 0
    except KeyboardInterrupt:  # while the end was under way
        code = _INTERRUPTED
    os._exit(code)


if __name__ == "__main__":
    program()
