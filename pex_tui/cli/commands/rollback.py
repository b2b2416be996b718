"""`pex-tui rollback RUN [TASK…] [--yes] [--json]`."""

from argparse import ArgumentParser, Namespace

from pex_tui.cli.arguments import run_id
from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=run_id, metavar="RUN", help="the run, or the start of its id")
    parser.add_argument(
        "tasks",
        nargs="*",
        default=[],  # else argparse calls them required
        metavar="TASK",
        help="only what these tasks landed (default: all)",
    )
    parser.add_argument("--yes", action="store_true", help="roll back without asking")
    parser.add_argument("--json", action="store_true", help="a JSON object on stdout")


COMMAND = Command(
    summary="undo what a run landed",
    description="Shows what it will do and asks. The run's own branch goes back; on your branch, "
    "revert commits undo what it has of the run, in your checkout only if nothing of yours is in "
    "the way. `recover` brings it back.",
    examples=(
        ("rollback 7f3a", "everything that the run landed"),
        ("rollback 7f3a api docs --yes", "two tasks of it, without asking"),
    ),
    add_arguments=_add_arguments,
    other_names=("revert", "undo"),
)


def main(options: Namespace) -> int:
    """Undo what a run landed."""
    from pex_tui.cli.actions.rollback_run import rollback

    return rollback(options)
