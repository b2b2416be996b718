"""Errors of a plan, reported all at once, each with its line."""

from msgspec import Struct

from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError

Path = tuple[str | int, ...]
"""The place of a value in a document: the keys and positions on the way to it."""


class Problem(Struct, frozen=True, order=True):
    """Something to fix, and its line, counted from 1."""

    line: int
    text: str


class UnreadableError(Exception):
    """The text is not YAML or JSON, or too large."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def located(name: str, problem: Problem) -> str:
    """Return one line such as `plan.yaml:12: …`, safe to print."""
    return clean(f"{name}:{problem.line}: {problem.text}")


class PlanError(UserError):
    """A plan that can't run as written; `problems` and `found` are sorted by line."""

    def __init__(self, name: str, found: tuple[Problem, ...]) -> None:
        ordered = tuple(sorted(set(found)))
        count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
        super().__init__(
            clean(f"{name} has {count}; nothing was started. Fix the plan and run it again."),
            problems=tuple(located(name, problem) for problem in ordered),
        )
        self.name = name
        self.found = ordered
