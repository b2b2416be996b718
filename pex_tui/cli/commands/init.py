"""`pex-tui init [--force]`: settings, Claude Code's /execute and a workflow for a repository."""

from argparse import ArgumentParser, Namespace

from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


COMMAND = Command(
    summary="write settings, /execute for Claude Code and a GitHub workflow",
    examples=(("init", "in this repository"), ("init --repo ~/shop", "in that one")),
    add_arguments=_add_arguments,
)


def main(options: Namespace) -> int:
    """Write the starter files; existing files are kept without --force."""
    from pex_tui.cli.actions.init_repository import init

    return init(options)
