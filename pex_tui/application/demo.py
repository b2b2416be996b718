"""A real run on a sample project, as the command and the app's own key start it."""

import argparse
import shlex
import sys
import tempfile
from functools import partial
from pathlib import Path

from pex_tui.application.command_context import await_command
from pex_tui.application.demo_project import make_demo
from pex_tui.application.headless_driver import drive_headless
from pex_tui.application.plan_drafts import PlanDrafts
from pex_tui.application.project import open_ground
from pex_tui.application.run_options import RunOptions
from pex_tui.application.runs import start_run
from pex_tui.application.terminal import is_headless
from pex_tui.headless.streams import Streams, printing
from pex_tui.resources import shipped

# With a person there, the collision is theirs to settle; without one the task runs again.
_SAMPLE = ("safety.env_pass=[DEMO_PACE]",)
_ATTENDED = (
    *_SAMPLE,
    "conflict_resolution.auto_resolve=false",
    "conflict_resolution.fallback_mode=prompt",
)


def show_demo() -> int:
    """The demo as the app's own key shows it."""
    return run_demo(argparse.Namespace(dir=None, headless=False, json=False))


def run_demo(options: argparse.Namespace) -> int:
    """Make the sample project and run its plan, with the app or without."""
    directory = options.dir or Path(tempfile.mkdtemp(prefix="pex-demo-"))
    plan = make_demo(shipped("config") / "demo" / "project", directory.resolve())
    sys.stderr.write(f"The sample project is in {plan.parent}\n")
    options.repo = plan.parent
    if is_headless(options):
        code = await_command(printing(partial(_headless, plan, options.json)))
    else:
        from pex_tui.application.tui_runner import run_app  # noqa: PLC0415  # only the app needs Textual

        options.set = [*_ATTENDED, *getattr(options, "set", [])]
        code = run_app(options, plan=plan)
    place = shlex.quote(str(plan.parent))
    sys.stderr.write(f"Look around: cd {place} && git log --oneline --all && pex-tui report\n")
    return code


async def _headless(plan: Path, as_json: bool, streams: Streams) -> int:
    ground = await open_ground(plan.parent, _SAMPLE)
    draft = await PlanDrafts(ground).load(plan)
    session = await start_run(ground, draft, RunOptions())
    return await drive_headless(ground, session, streams, as_json=as_json)
