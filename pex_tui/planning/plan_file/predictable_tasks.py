"""Which plans and tasks collisions are foreseen for; apart from how, which is slow to import."""

from pex_tui.core.model.plan import Plan, TaskSpec

MOST_TASKS = 120  # of a plan, as every pair of them is looked at
LITTLE_HISTORY = 100  # changes, below which what is foreseen is a guess


def is_predictable(spec: TaskSpec) -> bool:
    """Return whether the task may write and says in words what it is about."""
    return bool(spec.prompt) and not spec.is_read_only


def has_predictable_pair(plan: Plan) -> bool:
    """Whether two tasks of the plan are foreseeable, and not too many to look at every pair."""
    return 1 < sum(map(is_predictable, plan.tasks)) <= MOST_TASKS
