"""`pex-tui runs`."""

from argparse import Namespace

from pex_tui.cli.arguments import add_json_list
from pex_tui.cli.command import Command

COMMAND = Command(
    summary="list past runs",
    examples=(("runs", "newest first"), ("runs --json", "for scripts")),
    add_arguments=add_json_list,
    other_names=("status", "list", "history"),
    is_open_to_agents=True,
)


def main(options: Namespace) -> int:
    """List past and live runs."""
    from pex_tui.cli.actions.list_runs import list_runs

    return list_runs(options)
