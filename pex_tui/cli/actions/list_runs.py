"""List past and live runs."""

import sys

from msgspec import to_builtins

from pex_tui.adapters.storage.engine_lock import current_holder
from pex_tui.application.project.command_context import Options, await_command, project_of
from pex_tui.application.project.project import Project
from pex_tui.application.runs.lost_runs import lost_runs
from pex_tui.application.runs.run_summaries import summaries
from pex_tui.cli.output.runs import render_runs
from pex_tui.reports.json_text import json_text


def list_runs(options: Options) -> int:
    """List past and live runs."""
    return await_command(_runs(options))


async def _runs(options: Options) -> int:
    project: Project = await project_of(options)
    holder = current_holder(project.places.lock)
    lost = await lost_runs(project)
    found = (*summaries(project, holder, known={}), *lost)
    notice = _journal_notice(project)
    if notice:
        sys.stderr.write(f"! {notice}\n")
    for run in lost:
        sys.stderr.write(f"! {run.goal}\n")
    if options.json:
        sys.stdout.write(json_text(to_builtins(found), indent=2) + "\n")
    else:
        sys.stdout.write(render_runs(found))
    return 0


def _journal_notice(project: Project) -> str:
    if not project.places.journal.exists():
        return ""
    journal = project.open_journal()
    journal.close_now()
    return journal.notice
