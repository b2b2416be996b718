"""`pex-tui` alone: the app, at home."""

from argparse import Namespace

from pex_tui.errors import UserError


def main(options: Namespace) -> int:
    """Open the app in this repository."""
    from pex_tui.application.terminal import is_headless

    if is_headless(options):
        raise UserError(
            "There is no terminal to show the app in. Run a plan without it: "
            "pex-tui run PLAN --headless; `pex-tui --help` lists the commands."
        )
    from pex_tui.application.app.tui_runner import run_app

    return run_app(options)
