"""Whether an argument is a plan file or a goal, and what to say when it is neither."""

import shlex
from pathlib import Path

from pex_tui.core.text import clean
from pex_tui.errors import UserError

PLAN_ENDINGS = (".yaml", ".yml", ".json")
_FEWEST_GOAL_WORDS = 3
_LONGEST_SHOWN = 120


def plan_or_goal(text: str) -> tuple[Path | None, str | None]:
    """The plan file or the goal that the argument is; raises UserError for a single other word.

    What ends like a plan file or holds a slash is a file, unless it is a sentence that names one.
    """
    path = Path(text)
    words = text.split()
    if is_file(path):
        return path, None
    looks_like_a_path = text.endswith(PLAN_ENDINGS) or "/" in text
    if looks_like_a_path and len(words) < _FEWEST_GOAL_WORDS:
        return path, None
    if len(words) == 1:
        word = shlex.quote(clean(text, 60))
        raise UserError(
            f"There is no file {word}, and a plan file ends in {', '.join(PLAN_ENDINGS)}. "
            f"For a goal of one word: pex-tui plan {word} -o plan.yaml, "
            "then pex-tui run plan.yaml"
        )
    return None, text


def is_file(path: Path) -> bool:
    """Whether the path is a file; a text that can't be a path is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or with a NUL
        return False


def quoted(goal: str) -> str:
    """The goal as one argument of a command to copy; a long one is left for the user to put in."""
    line = clean(" ".join(goal.split()), _LONGEST_SHOWN + 1)
    return shlex.quote(line) if len(line) <= _LONGEST_SHOWN else '"GOAL"'
