"""The names of a run's refs in the user's repository: `refs/pex/…`, and the branch `pex/<run>`.

Nothing else spells them. A name of ours that is no attempt's number starts with a character that
no task id may hold, as a ref can't be a file and a folder at once.
"""

from pex_tui.core.model.ids import RunId, TaskId

ROOT = "refs/pex"
"""Below it is all that is kept of runs."""
BRANCHES = "refs/heads/pex"
"""Below it are the integration branches."""


def branch_name(run: RunId) -> str:
    """Return the integration branch as people call it."""
    return integration_ref(run).removeprefix("refs/heads/")


def integration_ref(run: RunId) -> str:
    """Return the branch that the run lands on."""
    return f"{BRANCHES}/{run}"


def run_prefix(run: RunId) -> str:
    """Return what all refs of a run begin with, besides its branch."""
    return f"{ROOT}/{run}/"


def task_ref(run: RunId, task: TaskId, name: str) -> str:
    """Return a ref of a task."""
    return f"{run_prefix(run)}{task}/{name}"


def attempt_ref(run: RunId, task: TaskId, attempt: int) -> str:
    """Return where the change of an attempt is, as one commit on the commit it started from."""
    return task_ref(run, task, str(attempt))


def own_commits_ref(run: RunId, task: TaskId, attempt: int) -> str:
    """Return where the commits are that the agent made itself."""
    return f"{attempt_ref(run, task, attempt)}-head"
