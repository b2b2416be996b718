"""The names of a run's refs in the user's repository: `refs/pex/…`, and the branch `pex/<run>`.

No other module spells the namespaces. A name that is not an attempt's number starts with a
character that is illegal in task ids, as a ref can't be a file and a folder at once.
"""

from pex_tui.core.model.ids import RunId, TaskId

ROOT = "refs/pex"
"""The namespace of all refs of runs."""
BRANCHES = "refs/heads/pex"
"""The namespace of the integration branches."""


UNDO = f"{ROOT}/_undo"
"""The namespace of what was removed and can be recovered; no run can have this name."""


def branch_name(run: RunId) -> str:
    """Return the short name of the run's integration branch."""
    return integration_ref(run).removeprefix("refs/heads/")


def integration_ref(run: RunId) -> str:
    """Return the full ref of the run's integration branch."""
    return f"{BRANCHES}/{run}"


def run_prefix(run: RunId) -> str:
    """Return the common prefix of a run's refs, except its branch."""
    return f"{ROOT}/{run}/"


def task_ref(run: RunId, task: TaskId, name: str) -> str:
    """Return a ref of a task."""
    return f"{run_prefix(run)}{task}/{name}"


def attempt_ref(run: RunId, task: TaskId, attempt: int) -> str:
    """Return the ref of an attempt's change: one commit on top of the attempt's start."""
    return task_ref(run, task, str(attempt))


def own_commits_ref(run: RunId, task: TaskId, attempt: int) -> str:
    """Return the ref of the commits that the agent made itself."""
    return f"{attempt_ref(run, task, attempt)}-head"
