"""Runs without a journal, known only from their branches and refs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pex_tui.adapters.git.maintenance.runs_by_refs import FoundRun, find_runs
from pex_tui.application.project.command_context import UnknownRunError
from pex_tui.application.project.project import Project
from pex_tui.application.runs.run_ids import traced_runs
from pex_tui.core.formatting import counted
from pex_tui.core.model.ids import RunId
from pex_tui.engine.session import RunSummary
from pex_tui.errors import UserError


async def lost_runs(project: Project) -> tuple[RunSummary, ...]:
    """Return lost runs that have landed something, newest first; raise GitError."""
    known = set()
    if project.places.journal.exists():
        journal = project.open_journal()
        try:
            known = {row.run for row in journal.runs()}
        finally:
            journal.close_now()
    found = [_summary(one) for one in await find_runs(project.repository.git, besides=known)]
    return tuple(sorted(found, key=lambda run: -run.created_at))


@asynccontextmanager
async def telling_of_lost(project: Project, wanted: str | None) -> AsyncIterator[None]:
    """If the journal lacks the requested run, report what its refs show."""
    try:
        yield
    except UnknownRunError as error:
        lost = [one.goal for one in await lost_runs(project) if one.run.startswith(wanted or "")]
        if not lost and wanted is not None and (run := await traced_run(project, wanted)):
            told = f"Of run {run} only refs and files are left, and nothing of it has landed."
            lost = [f"{told} `pex-tui clean {run}` shows what they are."]
        if not lost:
            raise
        raise UserError(lost[-1], problems=tuple(lost[:-1])) from error


async def traced_run(project: Project, wanted: str) -> RunId | None:
    """Return the run with that name or prefix that has left refs or files, if there is one."""
    traced = await traced_runs(project)
    meant = {run for run in traced if run == wanted} or {
        run for run in traced if run.startswith(wanted)
    }
    return meant.pop() if len(meant) == 1 else None


def _summary(found: FoundRun) -> RunSummary:
    landed = len(found.tasks)
    told = (
        f"Run {found.run} is known by its branch and refs only, as its journal is gone. "
        f"`pex-tui land {found.run}` brings its {counted(landed, 'commit')} to the branch that is "
        "checked out."
    )
    return RunSummary(found.run, told, found.landed_at, None, landed, landed, 0.0, is_lost=True)
