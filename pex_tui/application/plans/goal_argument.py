"""Distinguish a plan file from a goal in an argument."""

import shlex
import sys
from pathlib import Path

from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.textfiles import read_text_stream

STDIN = "-"
PLAN_ENDINGS = (".yaml", ".yml", ".json")
_FEWEST_GOAL_WORDS = 3
_LONGEST_SHOWN = 120


def read_goal(text: str) -> str:
    """Return the goal of an argument; `-` reads it from stdin, which no shell parses.

    Raises UserError if stdin has no text.
    """
    if text != STDIN:
        return text
    if sys.stdin is None:  # closed by the caller
        raise UserError('stdin is closed, so there is no goal to read. Give it in quotes: "GOAL".')
    if sys.stdin.isatty():
        sys.stderr.write("Type the goal; end it with Ctrl-D on a line of its own.\n")
    try:
        return read_text_stream(sys.stdin.buffer, "stdin", "goal")
    except OSError as error:
        raise UserError(f"stdin: the goal can't be read: {error.strerror}.") from error


def plan_or_goal(text: str) -> tuple[Path | None, str | None]:
    """Return the plan file or the goal; raises UserError for any other single word.

    An argument with a plan file's ending or a slash is a file, unless it is a sentence that
    mentions one. `-` is a goal on stdin.
    """
    if text == STDIN:
        return None, read_goal(text)
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
    """Return whether the path is a file; False for a text that cannot be a path."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or with a NUL
        return False


def quoted(goal: str) -> str:
    """Return the goal quoted for a shell; a long one is replaced by a placeholder."""
    line = clean(" ".join(goal.split()), _LONGEST_SHOWN + 1)
    return shlex.quote(line) if len(line) <= _LONGEST_SHOWN else '"GOAL"'
