"""`pex-tui` alone: the app, at home."""

import argparse

from pex_tui.application.terminal import is_headless
from pex_tui.errors import UserError


def main(options: argparse.Namespace) -> int:
    """Open the app in this repository."""
    if is_headless(options):
        raise UserError(
            "There is no terminal to show the app in. Run a plan without it: "
            "pex-tui run PLAN --headless; `pex-tui --help` lists the commands."
        )
    from pex_tui.application.tui_runner import run_app  # noqa: PLC0415  # only the app needs Textual

    return run_app(options)
