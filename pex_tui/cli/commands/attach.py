"""`pex-tui attach [RUN]`."""

from argparse import Namespace

from pex_tui.application.terminal import is_headless
from pex_tui.errors import UserError


def main(options: Namespace) -> int:
    """Watch and steer a run that another process drives."""
    if is_headless(options):
        raise UserError(
            "attach needs a terminal. `pex-tui runs` lists the runs, `pex-tui report RUN` shows "
            "one as far as it is."
        )
    from pex_tui.application.tui_runner import run_app  # noqa: PLC0415  # only the app needs Textual

    return run_app(options, attach=options.run or "")
