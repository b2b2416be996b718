"""What people ask of a run: handed to whoever drives it, or to an engine that takes it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pex_tui.errors import UserError

if TYPE_CHECKING:
    from pex_tui.core.events.run_events import Event
    from pex_tui.engine.ports import SlotPool
    from pex_tui.engine.session import RunSession
    from pex_tui.tui.app import PexApp


async def drive(app: PexApp, session: RunSession, pool: SlotPool) -> None:
    """Drive or watch the run; whoever takes it up after that is watched in turn."""
    await session.serve(pool)
    if not app.is_leaving:
        app.run_worker(_follow_on(app, session), group="follow", exclusive=True)


async def _follow_on(app: PexApp, session: RunSession) -> None:
    """Once another process drives the run, see it live again."""
    run = session.state.run
    await app.service.until_driven(run)
    if app.session is not session or app.is_leaving:
        return
    try:
        app.open_session(await app.service.attach(run))
    except UserError as error:
        app.tell(error.message, is_bad=True)
    else:
        app.tell(f"Another process drives run {run}; you see it live again.")


async def ask(app: PexApp, session: RunSession, events: tuple[Event, ...]) -> None:
    """Ask for it; what drives no run any more is taken up for that."""
    try:
        if not session.is_driven:
            session = await app.service.resume(session.state.run)
            app.open_session(session)
        for event in events:
            await session.ask(event)
    except UserError as error:
        app.tell(error.message, is_bad=True)
