"""What the app can do in a repository: the `Workshop` port on the real world."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.engine_lock import current_holder
from pex_tui.adapters.followed import FollowedSession
from pex_tui.core.ids import RunId
from pex_tui.engine.local import LocalSession
from pex_tui.engine.session import Check, PlanDraft, RunSummary
from pex_tui.headless.report import make_report
from pex_tui.headless.text_report import render_text
from pex_tui.wiring.checks import check_all
from pex_tui.wiring.following import follow_run
from pex_tui.wiring.ground import Ground
from pex_tui.wiring.sessions import RunOptions, resume_run, start_run
from pex_tui.wiring.summaries import summaries


@dataclass(slots=True)
class RepositoryWorkshop:
    """One repository; `run_options` is how the command line wants its run hosted."""

    ground: Ground
    repository: str
    run_options: RunOptions
    slots: int | None = None
    fail_fast: bool = False

    async def checks(self) -> tuple[Check, ...]:
        """What this machine and repository offer and lack."""
        return await check_all(self.ground.repository.top_level)

    async def runs(self) -> tuple[RunSummary, ...]:
        """Runs of this repository, newest first."""
        return summaries(self.ground, current_holder(self.ground.places.lock))

    async def report(self, run: RunId) -> str:
        """A run's report as text."""
        journal = self.ground.open_journal()
        try:
            return render_text(make_report(journal.read(run), self.ground.places.output))
        finally:
            journal.close_now()

    async def open_plan(self, path: Path) -> PlanDraft:
        """Parse and check a plan file."""
        return await self.ground.load_plan(
            path,
            slots=self.slots,
            fail_fast=self.fail_fast,
            land=self.run_options.land,
            uncommitted=self.run_options.include_uncommitted,
        )

    async def revise(self, draft: PlanDraft, text: str) -> PlanDraft:
        """The draft with the plan of another text."""
        return await self.ground.revise_plan(draft, text)

    async def start(self, draft: PlanDraft) -> LocalSession:
        """Begin a run; it is driven once `serve` is called."""
        return await start_run(self.ground, draft, self.run_options)

    async def resume(self, run: RunId) -> LocalSession:
        """Take up a run that no engine drives, or one that a background engine does."""
        return await resume_run(self.ground, run, RunOptions(attended=True))

    async def attach(self, run: RunId) -> FollowedSession:
        """Watch a run that another process drives, and ask that process for things."""
        return await follow_run(self.ground, run)

    async def hand_over(self, run: RunId) -> None:
        """Have a process without a screen drive the run that was just let go."""
        _start_background(self.ground, run)


def _start_background(ground: Ground, run: RunId) -> None:
    log = ground.places.run(run) / "background.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    overrides = [part for text in ground.overrides for part in ("--set", text)]
    top = ground.repository.top_level
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
            env=dict(ground.environ),
        )


async def open_workshop(
    ground: Ground, run_options: RunOptions, *, slots: int | None = None, fail_fast: bool = False
) -> RepositoryWorkshop:
    """The workshop of a repository."""
    repository = ground.repository
    head = await repository.head()
    branch = await repository.current_branch() or "detached HEAD"
    dirt = await repository.dirty()
    name = f"{repository.name} · {branch}@{head[:7]}, {dirt.summary or 'clean'}"
    return RepositoryWorkshop(ground, name, run_options, slots, fail_fast)
