"""`pex-tui recover [ID] [--json]`."""

from argparse import ArgumentParser, Namespace

from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "id", nargs="?", metavar="ID", help="what to restore, or the start of its id"
    )
    parser.add_argument("--json", action="store_true", help="a JSON list on stdout")


COMMAND = Command(
    summary="list or restore what was removed or rolled back",
    description="What a command removes or undoes is kept for 30 days. Without an id, lists it. "
    "Nothing that exists is overwritten.",
    examples=(("recover", "what can be restored"), ("recover 4f2a91", "restore that")),
    add_arguments=_add_arguments,
    other_names=("restore", "undelete"),
)


def main(options: Namespace) -> int:
    """List or restore what was removed or rolled back."""
    from pex_tui.cli.actions.recover_removed import recover

    return recover(options)
