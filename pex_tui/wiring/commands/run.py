"""`pex-tui run PLAN`: with the app, or without."""

import os
import sys
from pathlib import Path

from pex_tui.wiring.ground import Ground
from pex_tui.wiring.hosting import Options, await_command, drive_headless, ground_of
from pex_tui.wiring.sessions import RunOptions, start_run


def main(options: Options) -> int:
    """Run a plan file."""
    if is_headless(options):
        return await_command(_headless(options))
    from pex_tui.wiring.app import run_app  # noqa: PLC0415  # only the app needs Textual

    return run_app(options, plan=Path(options.plan), approved=options.yes)


def is_headless(options: Options) -> bool:
    """Whether the run has no screen: asked for, or there is no terminal that could show one."""
    return (
        getattr(options, "headless", False)
        or getattr(options, "json", False)
        or not (sys.stdout.isatty() and sys.stdin.isatty())
        or os.environ.get("TERM", "") in {"", "dumb"}
    )


async def _headless(options: Options) -> int:
    ground: Ground = await ground_of(options)
    draft = await ground.load_plan(
        Path(options.plan),
        slots=options.slots,
        fail_fast=options.fail_fast,
        land=options.land,
        uncommitted=options.include_uncommitted,
    )
    session = await start_run(ground, draft, run_options(options, attended=False))
    return await drive_headless(ground, session, as_json=options.json)


def run_options(options: Options, *, attended: bool) -> RunOptions:
    """How the command line asks for the run to be hosted."""
    return RunOptions(
        attended=attended,
        wait=options.wait,
        name=options.name,
        include_uncommitted=options.include_uncommitted,
        land=options.land,
    )
