"""`pex-tui run PLAN`: with the app, or without."""

from argparse import Namespace
from pathlib import Path

from pex_tui.wiring.terminal import is_headless


def main(options: Namespace) -> int:
    """Run a plan file."""
    if is_headless(options):
        from pex_tui.wiring.unattended import run_plan  # noqa: PLC0415  # not before the app

        return run_plan(options)
    from pex_tui.wiring.app import run_app  # noqa: PLC0415  # only the app needs Textual

    return run_app(options, plan=Path(options.plan), approved=options.yes)
