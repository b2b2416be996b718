"""`pex-tui run PLAN|"GOAL"`: with the app, or without."""

from argparse import ArgumentParser, Namespace

from pex_tui.cli.arguments import add_classic, add_headless, add_runners, add_slots, add_wait
from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "plan",
        metavar="PLAN|GOAL",
        help="a plan file (.yaml, .yml or .json), or a goal in quotes; - reads a goal from stdin",
    )
    add_slots(parser)
    add_runners(parser)
    parser.add_argument("--name", help="the run's name; its branch is pex/NAME")
    parser.add_argument(
        "--land", action="store_true", help="bring the result to your branch at the end"
    )
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first failure")
    parser.add_argument(
        "--include-uncommitted",
        action="store_true",
        help="include your uncommitted work",
    )
    add_wait(parser)
    add_classic(parser)
    add_headless(parser)


COMMAND = Command(
    summary="run a plan file, or a goal",
    description="Opens the app on the plan; without a terminal, or with --headless, just runs it.",
    examples=(
        ("run plan.yaml --slots 3", "three agents at once"),
        ('run "Fix the failing tests" --agent "*=codex"', "plan first, all agents by codex"),
        ("run plan.yaml --headless --yes --land", "unattended, onto your branch"),
    ),
    add_arguments=_add_arguments,
    other_names=("start",),
    needs_trust=True,
)


def main(options: Namespace) -> int:
    """Run a plan file, or a plan made from a goal."""
    from pex_tui.application.plans.goal_argument import plan_or_goal
    from pex_tui.application.terminal import is_headless

    plan, goal = plan_or_goal(options.plan)
    if is_headless(options):
        from pex_tui.application.runs.headless_runs import run_plan

        return run_plan(options, plan, goal)
    from pex_tui.application.app.tui_runner import run_app

    return run_app(options, plan=plan, goal=goal, approved=options.yes)
