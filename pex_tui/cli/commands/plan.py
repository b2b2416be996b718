"""`pex-tui plan "GOAL" [-o FILE]`."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from pex_tui.cli.arguments import add_runners, add_slots
from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("goal", metavar="GOAL", help="the goal, in quotes; - reads it from stdin")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where to write it (default: stdout)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    add_slots(parser)
    add_runners(parser)


COMMAND = Command(
    summary="make a plan from a goal",
    description="Nothing is started. The reasons for each agent and for the strategy go to stderr.",
    examples=(
        ('plan "Fix the failing tests" -o plan.yaml', "then: pex-tui run plan.yaml"),
        ('plan "Review the API" --set agents.planner=rules', "without a model"),
    ),
    add_arguments=_add_arguments,
    needs_trust=True,
)


def main(options: Namespace) -> int:
    """Write the plan for a goal."""
    from pex_tui.cli.actions.write_plan import write_plan

    return write_plan(options)
