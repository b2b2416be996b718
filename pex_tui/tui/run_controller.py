"""Going away: what becomes of a live run when a person or a signal ends the app."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.worker import Worker, WorkerState

from pex_tui.core.formatting import counted
from pex_tui.core.model.phases import RunStage
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import PlanDraft
from pex_tui.errors import UserError
from pex_tui.tui.terminal.terminal_app import INTERRUPTED

if TYPE_CHECKING:
    from pex_tui.core.model.state import RunState
    from pex_tui.engine.session import RunSession
    from pex_tui.tui.app import PexApp


async def leave(app: PexApp) -> None:
    """Leave at once when nothing lives; else ask whether the run goes on or is stopped.

    What was edited and not saved is asked about first.
    """
    from pex_tui.tui.screens.modals import LeaveScreen, may_discard  # noqa: PLC0415  # late: rare

    if not await may_discard(app, app.unsaved):
        return
    session = app.session
    if session is None or not app.is_live:
        state = app.run_state
        words = app.engine_error or ("" if state is None else how_it_stands(state))
        await depart(app, words, (state.exit_code if state else None) or 0)
    elif not session.is_own:
        await depart(app, _goes_on(session.state.run, "in its own terminal"), 0)
    else:
        question = LeaveScreen(is_live=lambda: app.is_live, is_stopping=app.leaves_when_over)
        answer = await app.push_screen_wait(question)
        if app.is_leaving:
            return
        if answer != "stay" and not app.is_live:  # it has ended while the question stood there
            await leave(app)
        elif answer == "detach":
            await _detach(app, session)
        elif answer == "stop":
            from pex_tui.core.events.run_events import RunDrainRequested  # noqa: PLC0415  # late: it is large

            await session.ask(RunDrainRequested(by="you", kill=app.leaves_when_over))
            app.leaves_when_over = True
            app.tell("The run is being stopped; what runs may end. q and stop again ends it now.")


async def leave_stopped(app: PexApp, state: RunState) -> None:
    """Leave a run that was stopped and has ended by now."""
    words = f"Run {state.run} was stopped; `pex-tui resume {state.run}` goes on with it."
    await depart(app, words, state.exit_code or 0)


async def replace_draft(app: PexApp, draft: PlanDraft) -> None:
    """Review another plan, once the changes to the one before may go."""
    from pex_tui.tui.screens.modals import may_discard  # noqa: PLC0415  # late: rarely needed

    if await may_discard(app, partial(app.unsaved, "plan")):
        app.open_draft(draft)


def how_it_stands(state: RunState) -> str:
    """Where the work of a run lies that has ended, and how to get it."""
    from pex_tui.core.model.state import LandStatus  # noqa: PLC0415  # likewise
    from pex_tui.core.views.view_models import brings_anything  # noqa: PLC0415  # late: no run, no need

    run, target = state.run, state.target
    landed = counted(sum(task.landed is not None for task in state.tasks), "task")
    outcome = str(state.outcome or "").replace("_", " ")
    if state.stage is not RunStage.FINISHED or target is None or not brings_anything(state):
        return ""
    if state.land_status is LandStatus.LANDED:
        return f"Run {run} has ended: {outcome}; {landed} landed, now on {target}."
    return (
        f"Run {run} has ended: {outcome}; {landed} landed on {state.branch}, not on {target} yet.\n"
        f"`pex-tui land {run}` brings it there."
    )


async def interrupted(app: PexApp) -> None:
    """A signal, or a terminal that is gone, ends the app: the state is saved, agents run on.

    A plan whose changes are not saved is kept in the state folder.
    """
    kept = await _keep_plan(app) if app.unsaved("plan") else ""
    if app.session is None or not app.is_live or not app.session.is_own:
        await depart(app, kept, INTERRUPTED)
        return
    run = app.session.state.run
    words = f"Interrupted; `pex-tui resume {run}` goes on with the run.\n{kept}"
    await depart(app, words.strip(), INTERRUPTED)


async def _keep_plan(app: PexApp) -> str:
    for screen in app.screens_of("plan"):
        if isinstance(draft := getattr(screen, "draft", None), PlanDraft):
            try:
                path = shlex.quote(str(await app.service.keep(draft)))
            except UserError as error:
                return error.message
            return f"The changed plan is in {path}: `pex-tui run {path}` opens it."
    return ""


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
        await app.service.hand_over(run)
    except UserError as error:
        await depart(app, f"{error.message} `pex-tui resume {run}` goes on with the run.", 1)
    else:
        await depart(app, _goes_on(run, "without a screen"), 0)


def _goes_on(run: str, where: str) -> str:
    return (
        f"Run {run} goes on {where}.\n"
        f"`pex-tui attach {run}` watches it, `pex-tui resume {run}` takes it up."
    )


async def depart(app: PexApp, words: str, code: int) -> None:
    """End the app; the words are printed once the terminal is the user's again."""
    app.is_leaving = True
    if app.session is not None and app.session.is_driven:
        await app.session.let_go()
    app.parting_words = "\n".join(clean(line) for line in words.splitlines())
    app.exit(return_code=code)
