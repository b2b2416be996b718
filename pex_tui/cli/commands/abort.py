"""`pex-tui abort [RUN]`."""

from argparse import ArgumentParser, Namespace

from pex_tui.cli.arguments import add_optional_run
from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    add_optional_run(parser, "the one at work now")


COMMAND = Command(
    summary="stop everything that a run does, at once",
    description="Ends all agents and their processes, by force after the grace (safety.grace), "
    "also those of an engine that died. Their work is kept under refs/pex, what has landed stays "
    "landed, and `resume` continues the run.",
    examples=(("abort", "the run at work now"), ("abort 7f3a", "that run")),
    add_arguments=_add_arguments,
    other_names=("stop", "kill", "cancel"),
)


def main(options: Namespace) -> int:
    """Stop a run at once."""
    from pex_tui.cli.actions.abort_run import abort

    return abort(options)
