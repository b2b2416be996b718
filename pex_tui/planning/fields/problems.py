"""Everything wrong with a plan at once, each with its line."""

from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.fields.documents import Problem


def located(name: str, problem: Problem) -> str:
    """Return one line such as `plan.yaml:12: …`, safe to print."""
    return clean(f"{name}:{problem.line}: {problem.text}")


class PlanError(UserError):
    """A plan that can't be run as it stands; `problems` and `found` are sorted by line."""

    def __init__(self, name: str, found: tuple[Problem, ...]) -> None:
        ordered = tuple(sorted(set(found)))
        count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
        super().__init__(
            clean(f"{name} has {count}; nothing was started. Mend the plan and run it again."),
            problems=tuple(located(name, problem) for problem in ordered),
        )
        self.name = name
        self.found = ordered
