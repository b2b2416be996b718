"""`pex-tui "GOAL"`: the app, at the review of the plan for that goal."""

from argparse import Namespace

from pex_tui.errors import UserError


def main(options: Namespace) -> int:
    """Open the app on the plan for a goal."""
    from pex_tui.application.plans.goal_argument import quoted
    from pex_tui.application.terminal import is_headless
    from pex_tui.planning.goals.goal_text import tidy_goal

    tidy_goal(options.goal)
    if is_headless(options):
        goal = quoted(options.goal)
        raise UserError(
            "There is no terminal to review a plan in; nothing was started. Write the plan to a "
            f"file: pex-tui plan {goal} -o plan.yaml; or run it as it is: "
            f"pex-tui run {goal} --headless --yes"
        )
    from pex_tui.application.app.tui_runner import run_app

    return run_app(options, goal=options.goal)
