"""Candidates whose conflicts were settled with nobody asked: when, and what becomes of them."""

from datetime import UTC, datetime

from pex_tui.core.events.actions import MergeWork, RememberDecision
from pex_tui.core.events.landing_events import MergeConflicted, WorkMerged
from pex_tui.core.formatting import listed
from pex_tui.core.lifecycle.conflict_log import PEX, meet
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import (
    REMEMBERED,
    Combination,
    CombinedFile,
    ConflictFile,
    Decision,
)
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState

_BY_HAND = frozenset({Decision.OURS, Decision.THEIRS, Decision.EDITED})


def merge_work(state: RunState, task: TaskState, work: CommitId) -> MergeWork:
    """Merge the task's work onto what it is to be merged onto.

    Strategies only help where a gate judges, on what has landed, and where no person has decided.
    """
    judged = bool(state.plan.verify) and not state.gate_off and task.onto is None
    auto_resolve = judged and task.own_work is None
    return MergeWork(task.id, task.attempt, work, task.onto, combine)


def remember_decision(draft: Draft, task: TaskState) -> None:
    """Have a person's result remembered, now that it has landed and the gate has passed it."""
    if task.own_work is None or task.work is None:
        return
    people = [
        conflict.decided_by
        for conflict in draft.state.conflicts
        if conflict.tasks[0] == task.id and conflict.decision in _BY_HAND
    ]
    if people:
        draft.act(RememberDecision(task.id, task.own_work, task.work, people[-1]))


def combination_of(event: WorkMerged) -> Combination | None:
    """What the candidate owes to strategies, if anything."""
    if not event.combined:
        return None
    return Combination(event.combined, event.tip, event.against, event.at)


def as_conflict(task: TaskState, combination: Combination) -> MergeConflicted:
    """Return the conflict that it was before strategies settled it."""
    files = tuple(ConflictFile(file.path, file.kind) for file in combination.files)
    return MergeConflicted(
        task.id, task.attempt, combination.tip, files, combination.against, at=combination.met_at
    )


def record_combination(draft: Draft, task: TaskState) -> None:
    """Write down that a conflict was met and how it was settled, now that it has landed."""
    found = task.combination
    if found is None:
        return
    people = {file.by or PEX for file in found.files}
    how = _how(found.files[0]) if len(found.files) == 1 else told_files(found.files)
    meet(
        draft,
        (task.id, *found.against),
        Decision.COMBINED,
        reason=f"{how}; the gate passed",
        by=people.pop() if len(people) == 1 else PEX,
        files=tuple(ConflictFile(file.path, file.kind) for file in found.files),
        tip=found.tip,
        met_at=found.met_at,
    )


def failed_words(combination: Combination) -> str:
    """That the gate did not agree, for a person."""
    paths = listed([file.path for file in combination.files])
    how = told_strategies(combination.files)
    return f"the conflict in {paths} was settled by rule ({how}), but the gate failed on that."


def told_strategies(files: tuple[CombinedFile, ...]) -> str:
    """Return the strategies that settled the files, each once."""
    names = (str(strategy) for file in files for strategy in file.strategies)
    return ", ".join(dict.fromkeys(names))


def told_files(files: tuple[CombinedFile, ...]) -> str:
    """What was settled how, and as whom."""
    return "; ".join(f"{file.path}: {_how(file)}" for file in files)


def told_decision(file: CombinedFile) -> str:
    """Who decided what was remembered, and when."""
    day = datetime.fromtimestamp(file.at or 0.0, UTC).date()
    return f"as {file.by} decided on {day}"


def _how(file: CombinedFile) -> str:
    how = told_strategies((file,))
    return f"{how}, {told_decision(file)}" if REMEMBERED in file.strategies else how
