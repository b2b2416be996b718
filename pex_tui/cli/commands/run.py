"""`pex-tui run PLAN|"GOAL"`: with the app, or without."""

from argparse import Namespace

from pex_tui.application.goal_argument import plan_or_goal
from pex_tui.application.terminal import is_headless


def main(options: Namespace) -> int:
    """Run a plan file, or a plan made from a goal."""
    plan, goal = plan_or_goal(options.plan)
    if is_headless(options):
        from pex_tui.application.headless_runs import run_plan  # noqa: PLC0415  # not before the app

        return run_plan(options, plan, goal)
    from pex_tui.application.tui_runner import run_app  # noqa: PLC0415  # only the app needs Textual

    return run_app(options, plan=plan, goal=goal, approved=options.yes)
