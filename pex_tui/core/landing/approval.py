"""Approval of work that changes protected paths: ask a person, refuse it, or land and report it.

Only a person can give the approval; a rerun, a strategy or a remembered decision cannot. It is
checked before the gate, as the change may be to the gate's own script.
"""

from pex_tui.core.formatting import listed
from pex_tui.core.lifecycle.conflict_log import record_conflict
from pex_tui.core.lifecycle.merge_queue import leave_queue
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import Conflict, ConflictKind, ConflictPath, Decision
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.run_rules import ProtectPolicy
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import Failure, FailureKind, TaskState

_ASKED = "safety.protected.policy is ask: it waits for a person"
_REFUSED = (
    "safety.protected.policy is refuse. Its work is kept; name the paths in its `writes` to allow "
    "them"
)


def is_stopped(draft: Draft, task: TaskState, protected: tuple[str, ...]) -> bool:
    """Return whether protected paths stop the merged work; if so, it has left the queue."""
    draft.change(task.id, protected=protected)
    left = tuple(path for path in protected if path not in task.approved)
    if not left or draft.state.rules.protect in {None, ProtectPolicy.WARN}:
        return False
    what = f"changes protected {listed(list(left))}"
    leave_queue(draft, task)
    if draft.state.rules.protect is ProtectPolicy.REFUSE:
        detail = f"it {what}, and {_REFUSED}"
        failure = Failure(FailureKind.PROTECTED, detail)
        draft.move(task.id, Phase.FAILED, failure=failure, reason=detail)
        return True
    record_conflict(
        draft,
        ConflictKind.PROTECTED,
        (task.id,),
        None,
        reason=_ASKED,
        files=tuple(ConflictPath(path, ConflictKind.PROTECTED) for path in left),
        tip=draft.state.tip,
        conflicting_at=draft.now,
    )
    draft.move(task.id, Phase.CONFLICT, reason=f"{what}: it waits for you")
    return True


def protected_words(conflict: Conflict, most: int = 2) -> str:
    """Describe the approval that a task waits for; the words are not sanitized."""
    return f"{conflict.tasks[0]} changes protected {listed([f.path for f in conflict.files], most)}"


def paths_in_conflict(draft: Draft, task: TaskState) -> tuple[str, ...]:
    """Return the paths of the task's open conflicts, which a person decides now."""
    mine = [one for one in draft.state.open_conflicts if one.tasks[0] == task.id]
    return tuple(file.path for one in mine for file in one.files)


def landed_files(state: RunState, task: TaskState) -> tuple[str, ...]:
    """Return the files that the task changed, without protected ones that a person left out."""
    left_out: dict[str, bool] = {}
    for one in state.conflicts:
        if one.kind is ConflictKind.PROTECTED and one.tasks[0] == task.id:
            left_out |= {file.path: one.decision is Decision.THEIRS for file in one.files}
    return tuple(path for path in task.files if not left_out.get(path))


def tell_protected(draft: Draft, task: TaskState) -> None:
    """Report protected changes that landed without approval, as the policy is to warn."""
    if draft.state.rules.protect is ProtectPolicy.WARN and task.protected:
        draft.notice(f"{task.id} landed changes to protected {listed(list(task.protected))}.")
