"""Candidates with automatically resolved conflicts: when they are made, and their record."""

from datetime import UTC, datetime

from pex_tui.core.events.actions import MergeWork, RememberResolution
from pex_tui.core.events.landing_events import MergeConflicted, WorkMerged
from pex_tui.core.formatting import listed
from pex_tui.core.lifecycle.conflict_log import PEX, record_landing_conflict
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import (
    REMEMBERED,
    AutoResolution,
    ConflictPath,
    Decision,
)
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState

_BY_HAND = frozenset({Decision.OURS, Decision.THEIRS, Decision.EDITED})


def merge_work(state: RunState, task: TaskState, work: CommitId) -> MergeWork:
    """Return the merge of a task's work onto its place in the queue.

    Strategies apply only with a gate, onto landed commits, and where no person has decided.
    """
    judged = bool(state.plan.verify) and not state.gate_off and task.onto is None
    auto_resolve = judged and task.own_work is None
    return MergeWork(task.id, task.attempt, work, task.onto, auto_resolve)


def remember_resolution(draft: Draft, task: TaskState) -> None:
    """Remember a person's resolution, once it has passed the gate and landed."""
    if task.own_work is None or task.work is None:
        return
    people = [
        conflict.resolved_by
        for conflict in draft.state.conflicts
        if conflict.tasks[0] == task.id and conflict.decision in _BY_HAND
    ]
    if people:
        draft.act(RememberResolution(task.id, task.own_work, task.work, people[-1]))


def auto_resolution_of(event: WorkMerged) -> AutoResolution | None:
    """Return the automatic resolutions in the candidate, if any."""
    if not event.combined:
        return None
    return AutoResolution(event.combined, event.tip, event.against, event.at)


def as_conflict(task: TaskState, auto_resolution: AutoResolution) -> MergeConflicted:
    """Return the original conflict of a resolved candidate."""
    files = tuple(ConflictPath(file.path, file.kind) for file in auto_resolution.files)
    return MergeConflicted(
        task.id,
        task.attempt,
        auto_resolution.tip,
        files,
        auto_resolution.against,
        at=auto_resolution.conflicting_at,
    )


def record_auto_resolution(draft: Draft, task: TaskState) -> None:
    """Record the conflict and its automatic resolution, once the candidate has landed."""
    found = task.auto_resolution
    if found is None:
        return
    people = {file.by or PEX for file in found.files}
    how = _how(found.files[0]) if len(found.files) == 1 else told_files(found.files)
    record_landing_conflict(
        draft,
        (task.id, *found.against),
        Decision.COMBINED,
        reason=f"{how}; the gate passed",
        by=people.pop() if len(people) == 1 else PEX,
        files=found.files,
        tip=found.tip,
        conflicting_at=found.conflicting_at,
    )


def failed_words(auto_resolution: AutoResolution) -> str:
    """Say that the gate failed on an automatic resolution, for a person."""
    paths = listed([file.path for file in auto_resolution.files])
    how = told_strategies(auto_resolution.files)
    return f"the conflict in {paths} was resolved by rule ({how}), but the gate failed."


def told_strategies(files: tuple[ConflictPath, ...]) -> str:
    """Return the strategies that resolved the files, each once."""
    names = (str(strategy) for file in files for strategy in file.strategies)
    return ", ".join(dict.fromkeys(names))


def told_files(files: tuple[ConflictPath, ...]) -> str:
    """Describe the resolution of the files."""
    return "; ".join(f"{file.path}: {_how(file)}" for file in files)


def remembered_words(file: ConflictPath) -> str:
    """Describe a remembered decision: who made it, and when."""
    day = datetime.fromtimestamp(file.at or 0.0, UTC).date()
    return f"as {file.by} decided on {day}"


def _how(file: ConflictPath) -> str:
    how = told_strategies((file,))
    return f"{how}, {remembered_words(file)}" if REMEMBERED in file.strategies else how
