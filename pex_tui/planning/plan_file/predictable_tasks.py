"""Cheap checks for which plans and tasks conflicts can be predicted; prediction imports slowly."""

from pex_tui.core.model.plan import Plan, TaskSpec

MOST_TASKS = 120  # of a plan, as every pair of them is compared
LITTLE_HISTORY = 100  # past changes, below which predictions are guesses


def is_predictable(spec: TaskSpec) -> bool:
    """Return whether the task may write and has a description in words."""
    return bool(spec.prompt) and not spec.is_read_only


def has_predictable_pair(plan: Plan) -> bool:
    """Return whether the plan has predictable tasks, and not too many to compare."""
    return 1 < sum(map(is_predictable, plan.tasks)) <= MOST_TASKS
