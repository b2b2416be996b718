"""Validation of a goal's text."""

from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError

MOST_READ = 24_000
_TAB_WIDTH = 8  # the most cells that one character can become when sanitized


def tidy_goal(goal: str) -> str:
    """Return the goal's lines without control characters; raise UserError when nothing is left."""
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
