"""`pex-tui "GOAL"`: the app, at the review of the plan for that goal."""

from pex_tui.errors import UserError
from pex_tui.wiring.goals import quoted
from pex_tui.wiring.hosting import Options
from pex_tui.wiring.terminal import is_headless


def main(options: Options) -> int:
    """Open the app on the plan for a goal."""
    if is_headless(options):
        goal = quoted(options.goal)
        raise UserError(
            "There is no terminal to review a plan in; nothing was started. Write the plan to a "
            f"file: pex-tui plan {goal} -o plan.yaml; or run it as it is: "
            f"pex-tui run {goal} --headless --yes"
        )
    from pex_tui.wiring.app import run_app  # noqa: PLC0415  # only the app needs Textual

    return run_app(options, goal=options.goal)
