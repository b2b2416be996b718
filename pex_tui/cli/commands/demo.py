"""`pex-tui demo`: a real run on a sample project."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from pex_tui.cli.arguments import add_classic, add_headless
from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where to make the project")
    add_classic(parser)
    add_headless(parser, asks=False)


COMMAND = Command(
    summary="try a real run on a new sample project",
    description="Needs no model and no network, and takes about 30 seconds. In the app it leaves "
    "one conflict for you to resolve; without it, that task is rerun.",
    examples=(("demo", "in a temporary folder"), ("demo --dir /tmp/shop", "in that one")),
    add_arguments=_add_arguments,
)


def main(options: Namespace) -> int:
    """Make the sample project and run its plan, with the app or without."""
    from pex_tui.application.terminal import is_headless

    if is_headless(options):
        from pex_tui.application.demo import run_demo

        return run_demo(options)
    from pex_tui.application.app.tui_runner import show_demo

    return show_demo(options)
