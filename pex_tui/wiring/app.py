"""Opens the app on a repository."""

from pathlib import Path
from typing import Literal

from pex_tui.engine.session import PlanDraft, RunSession
from pex_tui.settings import config_home
from pex_tui.tui.app import PexApp
from pex_tui.wiring.commands.resume import run_to_resume
from pex_tui.wiring.following import follow_run
from pex_tui.wiring.ground import Ground
from pex_tui.wiring.hosting import Options, await_command, ground_of
from pex_tui.wiring.sessions import RunOptions
from pex_tui.wiring.workshop import RepositoryWorkshop, open_workshop

WANTS_DEMO = -1  # in place of an exit code: the user left for the demo


def run_app(
    options: Options,
    *,
    plan: Path | None = None,
    resume: str | None = None,
    attach: str | None = None,
    approved: bool = False,
) -> int:
    """Show the app until the user leaves; return the command's exit code.

    With a plan it opens the plan's review, or starts it when it is approved; with `resume` (a
    run's id, or empty for the newest) it takes the run up, with `attach` it watches one that
    another process drives.
    """
    code = await_command(_run_app(options, plan, resume, attach, approved=approved))
    if code != WANTS_DEMO:
        return code
    from pex_tui.wiring.commands.demo import main  # noqa: PLC0415  # it opens the app in its turn

    return main(Options(dir=None, headless=False, json=False))


async def _run_app(
    options: Options,
    plan: Path | None,
    resume: str | None,
    attach: str | None,
    *,
    approved: bool,
) -> int:
    ground = await ground_of(options)
    workshop = await open_workshop(
        ground,
        RunOptions(
            attended=True,
            wait=getattr(options, "wait", False),
            name=getattr(options, "name", None),
            include_uncommitted=getattr(options, "include_uncommitted", False),
            land=getattr(options, "land", False),
        ),
        slots=getattr(options, "slots", None),
        fail_fast=getattr(options, "fail_fast", False),
    )
    app = PexApp(
        workshop,
        start=await _start(workshop, ground, plan, resume, attach, approved=approved),
        symbols=ground.settings.monitoring.symbols,
        theme=ground.settings.monitoring.theme,
        themes=(config_home(ground.environ) / "themes",),
        notify=ground.settings.monitoring.notify,
        keymap=ground.settings.keymap,
        classic=getattr(options, "classic", False),
        refresh_seconds=ground.settings.monitoring.refresh_interval,
    )
    await app.run_async()
    return WANTS_DEMO if app.wants_demo else app.return_code or 0


async def _start(
    workshop: RepositoryWorkshop,
    ground: Ground,
    plan: Path | None,
    resume: str | None,
    attach: str | None,
    *,
    approved: bool,
) -> "PlanDraft | RunSession | Literal['home']":
    if attach is not None:
        return await follow_run(ground, attach or None)
    if resume is not None:
        return await workshop.resume(run_to_resume(ground, resume or None))
    if plan is None:
        return "home"
    draft = await workshop.open_plan(plan)
    return await workshop.start(draft) if approved else draft
