"""Going away: what becomes of a live run when a person or a signal ends the app."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.worker import Worker, WorkerState

from pex_tui.core.phases import RunStage
from pex_tui.core.text import clean
from pex_tui.errors import UserError

if TYPE_CHECKING:
    from pex_tui.engine.session import RunSession
    from pex_tui.tui.app import PexApp

INTERRUPTED = 130


async def leave(app: PexApp) -> None:
    """Leave at once when nothing lives; else ask whether the run goes on or is stopped."""
    from pex_tui.tui.screens.modals import LeaveScreen  # noqa: PLC0415  # late: rarely needed

    session = app.session
    if session is None or not app.is_live:
        code = app.run_state.exit_code if app.run_state else None
        await depart(app, "", code or 0)
    elif not session.is_own:
        await depart(app, f"Run {session.state.run} goes on; it was only watched from here.", 0)
    else:
        answer = await app.push_screen_wait(LeaveScreen(is_stopping=app.leaves_when_over))
        if answer != "stay" and not app.is_live:  # it has ended while the question stood there
            await leave(app)
        elif answer == "detach":
            await _detach(app, session)
        elif answer == "stop":
            from pex_tui.core.events import RunDrainRequested  # noqa: PLC0415  # late: it is large

            await session.ask(RunDrainRequested(by="you", kill=app.leaves_when_over))
            app.leaves_when_over = True
            app.tell("The run is being stopped; what runs may end. q and stop again ends it now.")


async def interrupted(app: PexApp) -> None:
    """A signal wants us gone: the state is saved, agents run on, the terminal is restored."""
    if app.session is None or not app.is_live or not app.session.is_own:
        await depart(app, "", INTERRUPTED)
        return
    run = app.session.state.run
    await depart(app, f"Interrupted; `pex-tui resume {run}` goes on with the run.", INTERRUPTED)


def heed_signals(app: PexApp) -> Callable[[], None]:
    """Have SIGTERM and SIGHUP end the app in good order; the result gives them back."""
    loop, numbers = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, lambda: app.go(partial(interrupted, app)))

    def give_back() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)

    return give_back


def why_it_stopped(engine: Worker[Any], session: RunSession) -> str:
    """What to tell once the engine has ended before its run has; empty while all is well."""
    state = session.state
    run = state.run
    if engine.state is WorkerState.ERROR:
        error = engine.error
        told = error.message if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return clean(f"The engine stopped. {told} `pex-tui resume {run}` goes on with the run.")
    if engine.state is WorkerState.SUCCESS and state.stage is not RunStage.FINISHED:
        if not session.is_own:
            return f"Nothing drives run {run} now. `pex-tui resume {run}` goes on with it."
        return f"Another process drives the run now. `pex-tui resume {run}` takes it up again."
    return ""


async def _detach(app: PexApp, session: RunSession) -> None:
    run = session.state.run
    app.is_leaving = True
    await session.let_go()
    try:
        await app.workshop.hand_over(run)
    except UserError as error:
        await depart(app, f"{error.message} `pex-tui resume {run}` goes on with the run.", 1)
    else:
        await depart(
            app, f"Run {run} goes on without a screen. `pex-tui resume {run}` takes it up again.", 0
        )


async def depart(app: PexApp, words: str, code: int) -> None:
    """End the app; the words are printed once the terminal is the user's again."""
    app.is_leaving = True
    if app.session is not None and app.session.is_driven:
        await app.session.let_go()
    app.exit(return_code=code, message=Text(clean(words)) if words else None)
