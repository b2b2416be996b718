"""The demo: a real run on a sample project."""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pex_tui.application.demo_project import make_demo
from pex_tui.application.plans.plan_drafts import PlanDrafts
from pex_tui.application.project.command_context import await_command
from pex_tui.application.project.project import open_project
from pex_tui.application.runs.headless_driver import drive_headless
from pex_tui.application.runs.run_options import RunOptions
from pex_tui.application.runs.runs import start_run
from pex_tui.headless.streams import Streams, printing
from pex_tui.resources import shipped

# The conflict is left to a person if there is one; otherwise the task is rerun.
_SAMPLE = ("safety.env_pass=[DEMO_PACE]",)
ATTENDED = (
    *_SAMPLE,
    "conflict_resolution.auto_resolve=false",
    "conflict_resolution.fallback_mode=prompt",
)
"""Settings of a demo that a person watches."""


@contextmanager
def sample_project(directory: Path | None) -> Iterator[Path]:
    """Make the sample project, yield its plan, and print at the end how to look at it."""
    folder = directory or Path(tempfile.mkdtemp(prefix="pex-demo-"))
    plan = make_demo(shipped("config") / "demo" / "project", folder.resolve())
    sys.stderr.write(f"The sample project is in {plan.parent}\n")
    yield plan
    place = shlex.quote(str(plan.parent))
    sys.stderr.write(f"To look around: cd {place} && git log --oneline --all && pex-tui report\n")


def run_demo(options: argparse.Namespace) -> int:
    """Make the sample project and run its plan without the app."""
    with sample_project(options.dir) as plan:
        return await_command(printing(partial(_headless, plan, options.json)))


async def _headless(plan: Path, as_json: bool, streams: Streams) -> int:
    project = await open_project(plan.parent, _SAMPLE)
    draft = await PlanDrafts(project).load(plan)
    session = await start_run(project, draft, RunOptions())
    return await drive_headless(project, session, streams, as_json=as_json)
