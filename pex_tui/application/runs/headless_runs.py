"""Unattended runs: start and resume runs without the app."""

from functools import partial
from pathlib import Path

from pex_tui.adapters.storage.journal import RunRow, SqliteJournal
from pex_tui.application.plans.goal_argument import quoted
from pex_tui.application.plans.plan_drafts import PlanDrafts
from pex_tui.application.project.command_context import (
    Options,
    UnknownRunError,
    await_command,
    find_run,
    project_of,
)
from pex_tui.application.project.project import Project
from pex_tui.application.runs.headless_driver import drive_headless
from pex_tui.application.runs.lost_runs import telling_of_lost
from pex_tui.application.runs.run_options import RunOptions
from pex_tui.application.runs.runs import resume_run, start_run
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import Outcome
from pex_tui.engine.session import PlanDraft, Planning
from pex_tui.errors import UserError
from pex_tui.headless.streams import Streams, printing
from pex_tui.planning.goals.goal_text import tidy_goal


def run_plan(options: Options, plan: Path | None, goal: str | None) -> int:
    """Run a plan file, or the plan for a goal, to its end; return the exit code."""
    return await_command(printing(partial(_run_plan, options, plan, goal)))


def resume(options: Options) -> int:
    """Resume a run and drive it to its end; return the exit code."""
    return await_command(printing(partial(_resume, options)))


async def _run_plan(options: Options, plan: Path | None, goal: str | None, streams: Streams) -> int:
    project = await project_of(options)
    draft = await _draft(project, options, plan, goal, streams)
    hosted = RunOptions(
        wait=options.wait,
        name=options.name,
        include_uncommitted=options.include_uncommitted,
        land=options.land,
    )
    session = await start_run(project, draft, hosted)
    return await drive_headless(project, session, streams, as_json=options.json)


async def _draft(
    project: Project, options: Options, plan: Path | None, goal: str | None, streams: Streams
) -> PlanDraft:
    notes = streams.notes.write
    if goal is not None:
        _check_approved(tidy_goal(goal), options)
    drafts = PlanDrafts(
        project,
        slots=options.slots,
        fail_fast=options.fail_fast,
        land=options.land,
        uncommitted=options.include_uncommitted,
    )
    if plan is not None:
        return await drafts.load(plan)
    draft = await drafts.plan_goal(goal or "", Planning(notes))
    for reason in draft.reasons:
        notes(reason)
    if not any(spec.enabled for spec in draft.plan.tasks):
        raise UserError(
            "No step of the plan for this goal can run without a coding agent; nothing was started."
            f" Write it to a file, give its steps commands, and run that: {_review(goal or '')}"
        )
    return draft


def _check_approved(goal: str, options: Options) -> None:
    """Refuse a goal without --yes: without a screen, nobody reviews the plan."""
    if not options.yes:
        raise UserError(
            "The plan for this goal has not been reviewed; nothing was started. "
            f"Start it as it is with --yes, or review it first: {_review(goal)}"
        )


def _review(goal: str) -> str:
    return f"pex-tui plan {quoted(goal)} -o plan.yaml"


async def _resume(options: Options, streams: Streams) -> int:
    project = await project_of(options)
    async with telling_of_lost(project, options.run):
        run = run_to_resume(project, options.run)
    how = RunOptions(background=options.background, wait=options.wait, slots=options.slots)
    session = await resume_run(project, run, how)
    return await drive_headless(project, session, streams, as_json=options.json)


def run_to_resume(project: Project, wanted: str | None) -> RunId:
    """Return the run to continue: the named one, else the newest with something left to do."""
    journal = project.open_journal()
    try:
        row = find_run(journal, wanted) if wanted else _newest_open(journal)
    finally:
        journal.close_now()
    if row.outcome is Outcome.ROLLED_BACK:
        raise UserError(
            f"Run {row.run} was rolled back; there is nothing to resume. `pex-tui recover` brings "
            f"it back, and `r` in the app (`pex-tui attach {row.run}`) runs a task again."
        )
    if row.outcome is Outcome.OK:
        raise UserError(
            f"Run {row.run} has succeeded; there is nothing to resume. "
            f"`pex-tui report {row.run}` shows it."
        )
    return row.run


def _newest_open(journal: SqliteJournal) -> RunRow:
    for row in journal.runs():
        if row.outcome not in {Outcome.OK, Outcome.ROLLED_BACK}:
            return row
    raise UnknownRunError(
        "No run in this repository has anything left to do. `pex-tui runs` lists them."
    )
