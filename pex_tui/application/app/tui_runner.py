"""Open the app on a repository.

Slow imports wait until the terminal shows something: nothing heavy is imported here.
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from typing import TYPE_CHECKING

from pex_tui.adapters.process.signals import ENDINGS, use_defaults
from pex_tui.adapters.process.watcher import use_pidfd_watcher
from pex_tui.outlet import say
from pex_tui.tui.app import PexApp
from pex_tui.tui.terminal.terminal_app import signals_heeded

if TYPE_CHECKING:
    from pathlib import Path

    from pex_tui.application.project.command_context import Options
    from pex_tui.engine.session import Planning
    from pex_tui.tui.opening import Opened


def run_app(
    options: Options,
    *,
    plan: Path | None = None,
    goal: str | None = None,
    resume: str | None = None,
    attach: str | None = None,
    approved: bool = False,
) -> int:
    """Show the app until the user leaves; return the command's exit code.

    With a plan or a goal it opens the plan's review, or starts an approved plan. With `resume` (a
    run's id, or empty for the newest) it resumes the run; with `attach` it follows one that another
    process drives. Raises UserError if it cannot open.
    """

    async def opening(planning: Planning) -> Opened:
        from pex_tui.application.app.tui_startup import open_here  # noqa: PLC0415  # large: after first paint

        return await open_here(options, plan, goal, resume, attach, planning, approved=approved)

    app = PexApp(opening, classic=getattr(options, "classic", False))
    use_pidfd_watcher()
    use_defaults(besides=ENDINGS)
    with signals_heeded(app):
        asyncio.run(app.run_async())
    if app.parting_words:
        say(app.parting_words)
    if (error := app.crash or app.failure) is not None:
        raise error
    if app.wants_demo:
        return show_demo(Namespace(dir=None))
    return app.return_code or 0


def show_demo(options: Options) -> int:
    """Make the sample project and show its plan for review."""
    from pex_tui.application.demo import ATTENDED, sample_project  # noqa: PLC0415  # large

    with sample_project(options.dir) as plan:
        options.repo = plan.parent
        options.set = [*ATTENDED, *getattr(options, "set", [])]
        return run_app(options, plan=plan)
