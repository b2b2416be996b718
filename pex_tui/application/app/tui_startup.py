"""Read what the app shows first: settings, repository, plan or run."""

from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.application.app.project_service import RepositoryService, open_service
from pex_tui.application.project.appearance import look_of
from pex_tui.application.project.command_context import Options, project_of
from pex_tui.application.project.project import Project
from pex_tui.application.runs.lost_runs import telling_of_lost
from pex_tui.application.runs.run_options import RunOptions
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import Planning
from pex_tui.errors import UserError
from pex_tui.tui.opening import Opened, Start


async def open_here(
    options: Options,
    plan: Path | None,
    goal: str | None,
    resume: str | None,
    attach: str | None,
    planning: Planning,
    *,
    approved: bool,
) -> Opened:
    """Open the repository of the command; raise UserError."""
    try:
        project = await project_of(options)
        service = await open_service(
            project,
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
        start = await _start(
            service, project, plan, goal, resume, attach, planning, approved=approved
        )
    except GitError as error:
        raise UserError(f"git {error.git_args[0]} failed: {clean(str(error))}") from error
    return Opened(service, look_of(project.settings, project.environ), start)


async def _start(
    service: RepositoryService,
    project: Project,
    plan: Path | None,
    goal: str | None,
    resume: str | None,
    attach: str | None,
    planning: Planning,
    *,
    approved: bool,
) -> Start:
    if attach is not None:
        from pex_tui.application.runs.attach import follow_run  # noqa: PLC0415  # home needs it not

        async with telling_of_lost(project, attach or None):
            return await follow_run(project, attach or None)
    if resume is not None:
        from pex_tui.application.runs.headless_runs import run_to_resume  # noqa: PLC0415  # likewise

        async with telling_of_lost(project, resume or None):
            run = run_to_resume(project, resume or None)
        return await service.resume(run)
    if plan is None and goal is None:
        return "home"
    if plan is not None:
        draft = await service.open_plan(plan)
    else:
        draft = await service.plan_goal(goal or "", planning)
    return await service.start(draft) if approved else draft
