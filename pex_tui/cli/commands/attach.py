"""`pex-tui attach [RUN]`."""

from argparse import ArgumentParser, Namespace

from pex_tui.cli.arguments import add_classic, add_optional_run
from pex_tui.cli.command import Command
from pex_tui.errors import UserError


def _add_arguments(parser: ArgumentParser) -> None:
    add_optional_run(parser, "the one that is running now")
    add_classic(parser)


COMMAND = Command(
    summary="watch and control a run that another process drives",
    examples=(("attach", "the run of this repository"),),
    add_arguments=_add_arguments,
    other_names=("watch",),
)


def main(options: Namespace) -> int:
    """Watch and control a run that another process drives."""
    from pex_tui.application.terminal import is_headless

    if is_headless(options):
        raise UserError(
            "attach needs a terminal. `pex-tui runs` lists the runs, `pex-tui report RUN` shows "
            "one as far as it is."
        )
    from pex_tui.application.app.tui_runner import run_app

    return run_app(options, attach=options.run or "")
