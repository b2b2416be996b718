"""What people ask of a run: handed to whoever drives it, or to an engine that takes it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pex_tui.errors import UserError

if TYPE_CHECKING:
    from pex_tui.core.events import Event
    from pex_tui.engine.session import RunSession
    from pex_tui.tui.app import PexApp


async def ask(app: PexApp, session: RunSession, events: tuple[Event, ...]) -> None:
    """Ask for it; what drives no run any more is taken up for that."""
    try:
        if not session.is_driven:
            session = await app.workshop.resume(session.state.run)
            app.open_session(session)
        for event in events:
            await session.ask(event)
    except UserError as error:
        app.tell(error.message, is_bad=True)
