"""The record of a run's conflicts: opened, decided, counted."""

from dataclasses import replace
from typing import Any

from pex_tui.core.draft import Draft
from pex_tui.core.ids import TaskId
from pex_tui.core.state import Conflict, ConflictKind, Decision

PEX = "pex"


def record(
    draft: Draft,
    kind: ConflictKind,
    tasks: tuple[TaskId, ...],
    decision: Decision | None,
    *,
    by: str = PEX,
    **facts: Any,
) -> None:
    """Add a conflict; one that is decided at once is, if nothing else is said, pex's decision."""
    conflicts = draft.state.conflicts
    conflict = Conflict(
        number=len(conflicts) + 1,
        kind=kind,
        tasks=tasks,
        decision=decision,
        decided_by=by if decision else "",
        decided_at=draft.now if decision else None,
        **facts,
    )
    draft.set(conflicts=(*conflicts, conflict))


def close(draft: Draft, task_id: TaskId, decision: Decision, by: str) -> None:
    """Write the decision into the task's open conflicts."""
    draft.set(
        conflicts=tuple(
            replace(conflict, decision=decision, decided_by=by, decided_at=draft.now)
            if conflict.is_open and conflict.tasks[0] == task_id
            else conflict
            for conflict in draft.state.conflicts
        )
    )
