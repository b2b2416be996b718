"""`pex-tui clean [RUN] [--older-than AGE] [--force] [--yes]`."""

from argparse import ArgumentParser, Namespace

from pex_tui.cli.arguments import add_optional_run
from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    add_optional_run(parser, "all that have finished")
    parser.add_argument("--older-than", metavar="AGE", help="only runs older than this, e.g. 7d")
    parser.add_argument("--force", action="store_true", help="also remove what has not landed")
    parser.add_argument(
        "--purge", action="store_true", help="keep nothing of it for `recover`, to free the disk"
    )
    parser.add_argument("--yes", action="store_true", help="remove without asking")


COMMAND = Command(
    summary="remove finished runs' worktrees and refs",
    description="Shows what would go and asks. What has not landed stays, unless you "
    "add --force. Work, logs and history that go can be recovered for 30 days, unless you add "
    "--purge.",
    examples=(("clean", "look, then decide"), ("clean --older-than 7d --yes", "for a cron job")),
    add_arguments=_add_arguments,
)


def main(options: Namespace) -> int:
    """Show what finished runs left, ask, and remove it."""
    from pex_tui.cli.actions.clean_runs import clean

    return clean(options)
