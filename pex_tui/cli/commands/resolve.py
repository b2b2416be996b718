"""`pex-tui resolve [RUN] [TASK --ours|--theirs|--rerun|--edit|--abort]`."""

from argparse import ArgumentParser, Namespace

from pex_tui.cli.arguments import add_optional_run
from pex_tui.cli.command import Command

_CHOICES = (
    ("ours", "take the task's side of each conflicting file"),
    ("theirs", "take the side that landed first"),
    ("rerun", "run the task again on the latest commit"),
    ("edit", "edit each conflicting file in $EDITOR"),
    ("abort", "abort the task; its work is kept"),
)


def _add_arguments(parser: ArgumentParser) -> None:
    add_optional_run(parser)
    parser.add_argument("task", nargs="?", metavar="TASK", help="whose conflict to resolve")
    choice = parser.add_argument_group("how").add_mutually_exclusive_group()
    for flag, meaning in _CHOICES:
        choice.add_argument(
            f"--{flag}", dest="choice", action="store_const", const=flag, help=meaning
        )


COMMAND = Command(
    summary="list or resolve a run's open conflicts",
    description="Without a task and a choice, lists them. A resolved conflict is tested like any "
    "other landing, and the run continues.",
    examples=(
        ("resolve", "the open conflicts of the newest run"),
        ("resolve 7f3a api --ours", "what the task api wrote"),
        ("resolve 7f3a api --edit", "by hand"),
    ),
    add_arguments=_add_arguments,
    needs_trust=True,
)


def main(options: Namespace) -> int:
    """List open conflicts, or resolve one and continue the run."""
    from pex_tui.cli.actions.resolve_conflict import resolve

    return resolve(options)
