"""The app's operations on a repository: the implementation of its port.

The engine and the report renderers are imported on first use, so that home opens fast.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from pex_tui.adapters.storage.engine_lock import current_holder
from pex_tui.application.project.doctor_checks import check_all
from pex_tui.application.project.project import Project
from pex_tui.application.runs.lost_runs import lost_runs
from pex_tui.application.runs.run_options import RunOptions
from pex_tui.application.runs.run_summaries import Known, summaries
from pex_tui.core.model.ids import RunId
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.session import DoctorCheck, PlanDraft, Planning, RunSummary
from pex_tui.errors import UserError
from pex_tui.textfiles import save_text_file

if TYPE_CHECKING:
    from pex_tui.adapters.ipc.attached_session import AttachedSession
    from pex_tui.application.plans.plan_drafts import PlanDrafts
    from pex_tui.core.undo_values import UndoOffer
    from pex_tui.engine.local import LocalSession
    from pex_tui.reports.report import Report

_LOOK_SECONDS = 1.0


class RepositoryService(Struct, dict=True):
    """One repository; `run_options` are the command line's options for hosting a run."""

    project: Project
    repository: str
    run_options: RunOptions
    slots: int | None = None
    fail_fast: bool = False
    _figures: Known = field(default_factory=dict)
    _lost: tuple[RunSummary, ...] | None = None  # git is asked once

    async def checks(self) -> tuple[DoctorCheck, ...]:
        """Check what this machine and repository offer and lack."""
        return await check_all(self.project.repository.top_level)

    async def runs(self) -> tuple[RunSummary, ...]:
        """Return the repository's runs, newest first; those known only from refs come last."""
        holder = current_holder(self.project.places.lock)
        if self._lost is None:
            self._lost = await lost_runs(self.project)
        known = await asyncio.to_thread(summaries, self.project, holder, self._figures)
        return (*known, *self._lost)

    async def report(self, run: RunId) -> str:
        """Return a run's report as text."""
        from pex_tui.reports.text import render_text  # noqa: PLC0415

        return render_text(await self._read(run))

    async def compare(self, first: RunId, second: RunId) -> str:
        """Return two runs side by side, as text."""
        from pex_tui.reports.comparison import render_comparison  # noqa: PLC0415

        return render_comparison(await self._read(first), await self._read(second))

    async def export(self, run: RunId, path: Path) -> None:
        """Write a run's report to a file, in the format given by its name."""
        from pex_tui.reports.formats import FORMATS, SUFFIXES, format_of  # noqa: PLC0415

        wanted = format_of(path)
        if wanted is None:
            raise UserError(f"{path}: end the name with one of {SUFFIXES}.")
        text = FORMATS[wanted](await self._read(run))
        try:
            await save_text_file(path, text)
        except OSError as error:
            raise UserError(f"{path} can't be written: {error.strerror}.") from error

    async def _read(self, run: RunId) -> Report:
        """Read a run's report in a thread: reading a large one must not freeze the screen."""
        from pex_tui.application.runs.headless_driver import read_report  # noqa: PLC0415

        return await asyncio.to_thread(read_report, self.project, run)

    @cached_property
    def _drafts(self) -> PlanDrafts:
        from pex_tui.application.plans.plan_drafts import PlanDrafts  # noqa: PLC0415  # home needs none

        return PlanDrafts(
            self.project,
            slots=self.slots,
            fail_fast=self.fail_fast,
            land=self.run_options.land,
            uncommitted=self.run_options.include_uncommitted,
        )

    async def undo_offer(self, run: RunId) -> UndoOffer:
        """Return what can be undone of a run: its landings, or the rollback of them."""
        from pex_tui.application.runs.rollback import undo_offer  # noqa: PLC0415  # seldom wanted

        return await undo_offer(self.project, run)

    async def undo(self, offer: UndoOffer) -> str:
        """Do what was offered; return what was done, for a person."""
        from pex_tui.application.runs.rollback import undo  # noqa: PLC0415  # seldom wanted

        self._lost = None
        return await undo(self.project, offer)

    async def plan_of(self, run: RunId) -> PlanDraft:
        """Return the plan of a past run, to be run again on the current repository."""
        from pex_tui.application.runs.stored_state import read_state  # noqa: PLC0415
        from pex_tui.planning.plan_file.writer import plan_to_yaml  # noqa: PLC0415

        journal = self.project.open_journal()
        try:
            plan = read_state(journal, run).plan
        finally:
            journal.close_now()
        drafts = replace(self._drafts, slots=None)
        return await drafts.review(plan_to_yaml(plan), f"the plan of run {run}")

    async def open_plan(self, path: Path) -> PlanDraft:
        """Parse and check a plan file."""
        return await self._drafts.load(path)

    async def plan_goal(self, goal: str, planning: Planning) -> PlanDraft:
        """Return the plan for a goal, with its reasons."""
        return await self._drafts.plan_goal(goal, planning)

    async def keep(self, draft: PlanDraft) -> Path:
        """Write an unsaved plan to the state folder."""
        from pex_tui.planning.plan_file.writer import plan_to_yaml  # noqa: PLC0415  # seldom wanted

        folder = self.project.places.drafts
        path = folder / f"plan-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.yaml"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            await save_text_file(path, plan_to_yaml(draft.plan))
        except OSError as error:
            raise UserError(f"The changed plan could not be kept: {error.strerror}.") from error
        return path

    async def discard(self, draft: PlanDraft) -> None:
        """Keep a changed plan that a person discards, in the undo log."""
        from pex_tui.application.runs.recovery import keep_file  # noqa: PLC0415  # seldom wanted

        path = await self.keep(draft)
        await asyncio.to_thread(keep_file, self.project, path, "discard", f"plan: {draft.name}")

    async def revise(self, draft: PlanDraft, text: str) -> PlanDraft:
        """Return the draft with the plan of another text."""
        return await self._drafts.revise(draft, text)

    @property
    def merge_tool(self) -> str:
        """The program that may merge a file in conflict."""
        argv = self.project.settings.conflict_resolution.merge_tool
        return argv[0] if argv else ""

    async def merge(self, sides: ConflictSides) -> bytes:
        """Return the file as merged by that program."""
        argv = self.project.settings.conflict_resolution.merge_tool
        from pex_tui.adapters.system.merge_tool import merge_file  # noqa: PLC0415

        return await merge_file(argv or (), sides, self.project.environ)

    async def start(self, draft: PlanDraft) -> LocalSession:
        """Start a run; it is driven once `serve` is called."""
        from pex_tui.application.runs.runs import start_run  # noqa: PLC0415

        return await start_run(self.project, draft, self.run_options)

    async def resume(self, run: RunId, *, continues: bool = True) -> LocalSession:
        """Resume a run that has no engine, or a background engine."""
        from pex_tui.application.runs.runs import resume_run  # noqa: PLC0415

        how = RunOptions(
            attended=True, wait=self.run_options.wait, slots=self.slots, continues=continues
        )
        return await resume_run(self.project, run, how)

    async def attach(self, run: RunId) -> AttachedSession:
        """Follow a run that another process drives, and send requests to that process."""
        from pex_tui.application.runs.attach import follow_run  # noqa: PLC0415

        return await follow_run(self.project, run)

    async def until_driven(self, run: RunId) -> None:
        """Return once another process drives the run."""
        while not self._is_driven_elsewhere(run):  # noqa: ASYNC110  # a lock tells nobody
            await asyncio.sleep(_LOOK_SECONDS)

    def _is_driven_elsewhere(self, run: RunId) -> bool:
        holder = current_holder(self.project.places.lock)
        return holder is not None and holder.run == run and holder.pid != os.getpid()

    async def hand_over(self, run: RunId) -> None:
        """Have a background process drive the run that was just let go."""
        _start_background(self.project, run)


def _start_background(project: Project, run: RunId) -> None:
    log = project.places.run(run) / "background.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    overrides = [part for text in project.overrides for part in ("--set", text)]
    top = project.repository.top_level
    with log.open("ab") as stream:
        subprocess.Popen(
            [
                *(sys.executable, "-m", "pex_tui", "resume", run, "--background"),
                *("--repo", str(top)),
                *overrides,
            ],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            cwd=top,
            env=dict(project.environ),
        )


async def open_service(
    project: Project, run_options: RunOptions, *, slots: int | None = None, fail_fast: bool = False
) -> RepositoryService:
    """Return the service of a repository."""
    repository = project.repository
    head = await repository.head()
    branch = await repository.current_branch() or "detached HEAD"
    dirt = await repository.dirty()
    name = f"{repository.name} · {branch}@{head[:7]}, {dirt.summary or 'clean'}"
    return RepositoryService(project, name, run_options, slots, fail_fast)
