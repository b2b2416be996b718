"""`pex-tui land [RUN]`."""

from argparse import Namespace

from pex_tui.cli.arguments import add_optional_run
from pex_tui.cli.command import Command

COMMAND = Command(
    summary="bring what a run landed to the branch it started from",
    description="Fast-forwards the branch. If it has moved meanwhile, the commits are replayed "
    "onto it and tested again.",
    examples=(("land", "the newest run"), ("land 7f3a", "that run")),
    add_arguments=add_optional_run,
    other_names=("merge",),
    needs_trust=True,
)


def main(options: Namespace) -> int:
    """Land a run on the branch that it started from."""
    from pex_tui.cli.actions.land_run import land

    return land(options)
