"""The run that the app shows: open, drive, control and watch it, and leave it cleanly."""

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
from pex_tui.tui.host import AppHost
from pex_tui.tui.state_feed import StateFeed
from pex_tui.tui.terminal.terminal_app import INTERRUPTED
from pex_tui.tui.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pex_tui.core.events.run_events import Event
    from pex_tui.core.model.state import RunState
    from pex_tui.engine.session import RunSession
    from pex_tui.tui.attention.needs import Attention


class RunController:
    """Drives one run at a time for the app, and decides how the app ends.

    The run's values go to the app's `session`, `run_state` and `engine_error`. Once `is_leaving`,
    the app is exiting and asks nothing more.
    """

    def __init__(self, app: AppHost) -> None:
        self._app = app
        self._feed = StateFeed(app, partial(setattr, app, "run_state"))
        self._engine: Worker[None] | None = None
        self._attention: Attention | None = None
        self._leaves_when_over = False
        self.is_leaving = False

    @property
    def is_live(self) -> bool:
        """True while a run is driven from here and has not ended."""
        app = self._app
        has_ended = app.run_state is None or app.run_state.stage is RunStage.FINISHED
        return app.session is not None and not has_ended and not app.engine_error

    @property
    def will_leave(self) -> bool:
        """True if the app is exiting, or will exit once the run has ended."""
        return self.is_leaving or self._leaves_when_over

    def open(self, session: RunSession) -> None:
        """Drive and show a run, and stop following an earlier one."""
        from pex_tui.tui.attention.needs import Attention  # noqa: PLC0415  # late: no run, no need

        app = self._app
        app.engine_error = ""
        app.clear_notifications()
        app.session = session
        self._attention = Attention(session.state)
        self._feed.follow(session)
        driving = partial(self._drive, session)
        self._engine = app.run_worker(driving, group="engine", exit_on_error=False)
        app.action_show("monitor")

    def take(self, state: RunState) -> None:
        """Show a state that the engine has published."""
        self._feed.take(state)

    def watch(self, state: RunState) -> None:
        """Alert the user if the run needs one; exit once a stopped run has ended."""
        if self._attention is None:
            return
        for need in self._attention.needs(state):
            if need.is_urgent:
                self._app.call_user(need.text)
            if need.is_news:
                self._app.tell(need.text, is_bad=need.is_bad)
        if self._leaves_when_over and not self.is_leaving and state.stage is RunStage.FINISHED:
            self.is_leaving = True
            self._go(partial(self._leave_stopped, state))

    def steer(self, events: tuple[Event, ...]) -> None:
        """Send requests to the run."""
        if (session := self._app.session) is not None:
            asking = self._ask(session, events)
            self._app.run_worker(asking, group="ask", exclusive=not session.is_driven)

    def engine_changed(self, worker: Worker[Any]) -> None:
        """Show an engine's failure; journaled events are safe."""
        app = self._app
        if worker is self._engine and app.session and not self.is_leaving:
            app.engine_error = _why_it_stopped(worker, app.session)
            if app.engine_error:
                app.notify(app.engine_error, severity="error", timeout=30, markup=False)
                app.mutate_reactive(AppHost.run_state)

    async def leave(self) -> None:
        """Leave at once if nothing is live; else ask whether the run continues or is stopped.

        Unsaved edits are asked about first.
        """
        from pex_tui.tui.screens.modals import LeaveScreen, may_discard  # noqa: PLC0415  # late: rare

        app = self._app
        if not await may_discard(app, app.unsaved):
            return
        await self.keep_discarded()
        session = app.session
        if session is None or not self.is_live:
            state = app.run_state
            words = app.engine_error or ("" if state is None else _how_it_stands(state))
            await self._depart(words, (state.exit_code if state else None) or 0)
        elif not session.is_own:
            await self._depart(_goes_on(session.state.run, "in its own terminal"), 0)
        else:
            question = LeaveScreen(is_live=lambda: self.is_live, is_stopping=self._leaves_when_over)
            answer = await app.push_screen_wait(question)
            if self.is_leaving:
                return
            if answer != "stay" and not self.is_live:  # the run ended while the question was open
                await self.leave()
            elif answer == "detach":
                await self._detach(session)
            elif answer == "stop":
                await self._stop(session)

    def end_interrupted(self) -> None:
        """Exit on a signal or a lost terminal, without asking.

        The state is saved, and agents keep running. A plan with unsaved changes is kept in the
        state folder.
        """
        self.is_leaving = True
        self._go(self._interrupted)

    def _go(self, leaving: Callable[[], Coroutine[None, None, None]]) -> Worker[None]:
        return self._app.run_worker(leaving, group="leave", exclusive=True)

    async def _drive(self, session: RunSession) -> None:
        """Drive or follow the run, and follow any process that takes it over."""
        await session.serve(WorkerPool(self._app))
        if not self.is_leaving:
            self._app.run_worker(self._follow_on(session), group="follow", exclusive=True)

    async def _follow_on(self, session: RunSession) -> None:
        """Follow the run again once another process drives it."""
        app, run = self._app, session.state.run
        await app.service.until_driven(run)
        if app.session is not session or self.is_leaving:
            return
        try:
            self.open(await app.service.attach(run))
        except UserError as error:
            app.tell(error.message, is_bad=True)
        else:
            app.tell(f"Run {run} is now driven by another process and shown live.")

    async def _ask(self, session: RunSession, events: tuple[Event, ...]) -> None:
        """Pass the events to the engine; resume the run for them if no engine drives it."""
        try:
            if not session.is_driven:
                session = await self._app.service.resume(session.state.run, continues=False)
                self.open(session)
            for event in events:
                await session.ask(event)
        except UserError as error:
            self._app.tell(error.message, is_bad=True)

    async def _stop(self, session: RunSession) -> None:
        from pex_tui.core.events.run_events import RunDrainRequested  # noqa: PLC0415  # late: it is large

        await session.ask(RunDrainRequested(by="you", kill=self._leaves_when_over))
        self._leaves_when_over = True
        self._app.tell(
            "Stopping the run; running agents will finish. q and stop again ends it now."
        )

    async def _leave_stopped(self, state: RunState) -> None:
        """Leave a run that was stopped and has now ended."""
        words = f"Run {state.run} was stopped; `pex-tui resume {state.run}` continues it."
        await self._depart(words, state.exit_code or 0)

    async def _detach(self, session: RunSession) -> None:
        run = session.state.run
        self.is_leaving = True
        await session.let_go()
        try:
            await self._app.service.hand_over(run)
        except UserError as error:
            words = f"{error.message} `pex-tui resume {run}` continues the run."
            await self._depart(words, 1)
        else:
            await self._depart(_goes_on(run, "without a screen"), 0)

    async def _interrupted(self) -> None:
        app = self._app
        kept = await self._keep_plan() if app.unsaved("plan") else ""
        if app.session is None or not self.is_live or not app.session.is_own:
            await self._depart(kept, INTERRUPTED)
            return
        run = app.session.state.run
        words = f"Interrupted; `pex-tui resume {run}` continues the run.\n{kept}"
        await self._depart(words.strip(), INTERRUPTED)

    async def keep_discarded(self) -> None:
        """Keep a changed plan that is being discarded, for `pex-tui recover`."""
        draft = self._draft() if self._app.unsaved("plan") else None
        if draft is not None:
            try:
                await self._app.service.discard(draft)
            except UserError as error:
                self._app.tell(error.message, is_bad=True)

    async def _keep_plan(self) -> str:
        draft = self._draft()
        if draft is None:
            return ""
        try:
            path = shlex.quote(str(await self._app.service.keep(draft)))
        except UserError as error:
            return error.message
        return f"The changed plan is in {path}: `pex-tui run {path}` opens it."

    def _draft(self) -> PlanDraft | None:
        """Return the plan under review."""
        drafts = (getattr(screen, "draft", None) for screen in self._app.screens_of("plan"))
        return next((draft for draft in drafts if isinstance(draft, PlanDraft)), None)

    async def _depart(self, words: str, code: int) -> None:
        """Exit the app; the words are printed once the terminal is restored."""
        app = self._app
        self.is_leaving = True
        if app.session is not None and app.session.is_driven:
            await app.session.let_go()
        app.parting_words = "\n".join(clean(line) for line in words.splitlines())
        app.exit(return_code=code)


def _how_it_stands(state: RunState) -> str:
    """Return where the work of an ended run is, and how to get it."""
    from pex_tui.core.model.state import LandStatus  # noqa: PLC0415  # late: no run, no need

    run, target = state.run, state.target
    landed = counted(sum(task.landed is not None for task in state.tasks), "task")
    outcome = str(state.outcome or "").replace("_", " ")
    if state.stage is not RunStage.FINISHED:
        return ""
    lines = []
    if target is not None and state.land_status is LandStatus.LANDED and state.has_landed:
        lines = [f"Run {run} has ended: {outcome}; {landed} landed, now on {target}."]
    elif target is not None and state.has_landed:
        where = f"{landed} landed on {state.branch}, not merged into {target}"
        lines = [
            f"Run {run} has ended: {outcome}; {where}.",
            f"`pex-tui land {run}` merges it.",
        ]
    if any(task.aborted_with_run for task in state.tasks):
        lines.append(f"`pex-tui resume {run}` continues what was aborted.")
    return "\n".join(lines)


def _why_it_stopped(engine: Worker[Any], session: RunSession) -> str:
    """Return the message if the engine has ended before its run; empty otherwise."""
    state = session.state
    run = state.run
    if engine.state is WorkerState.ERROR:
        error = engine.error
        told = error.message if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return clean(f"The engine stopped. {told} `pex-tui resume {run}` continues the run.")
    if engine.state is WorkerState.SUCCESS and state.stage is not RunStage.FINISHED:
        if not session.is_own:
            return f"Nothing drives run {run} now. `pex-tui resume {run}` continues it."
        return f"Another process drives the run now. `pex-tui resume {run}` resumes it."
    return ""


def _goes_on(run: str, where: str) -> str:
    return (
        f"Run {run} continues {where}.\n"
        f"`pex-tui attach {run}` watches it, `pex-tui resume {run}` takes it over."
    )
