"""The text of a goal, as it is read by every planner."""

from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError

MOST_READ = 24_000
_TAB_WIDTH = 8  # the most that a character becomes when it is made safe to show


def tidy_goal(goal: str) -> str:
    """The goal's lines without what steers a terminal; raises UserError when nothing is left."""
    lines = [clean(line, _TAB_WIDTH * len(line) + 1).strip() for line in goal.splitlines()]
    text = "\n".join(lines).strip()
    if not text:
        raise UserError('The goal is empty. Say what is to be done: pex-tui plan "Fix the tests".')
    if len(text) > MOST_READ:
        raise UserError(
            f"The goal has {len(text)} characters, and {MOST_READ} are read. Put the details in a "
            "file of the repository, and name it in the goal."
        )
    return text
