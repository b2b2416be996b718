"""The history of a conflict in words: its stages, the steps taken, and the reasons."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from pex_tui.core.formatting import clock, counted, listed, percent
from pex_tui.core.lifecycle.conflict_log import PEX
from pex_tui.core.lifecycle.predictions import Pair
from pex_tui.core.model.conflict import Conflict, ConflictKind, ConflictStep, Decision
from pex_tui.reports.report import Report

_OPEN = "OPEN: waits for a decision"
_MOST_NAMED = 5
_MOST_APART = 3  # similar conflicts that are reported individually
_DECISIONS = {
    Decision.SERIALISED: "ran one after the other",
    Decision.WARNED: "you were warned",
    Decision.TOLD: "the agents were informed",
    Decision.PAUSED: "one was paused for the other",
    Decision.RERUN: "the task was rerun on the latest commit",
    Decision.OURS: "the task's side was taken",
    Decision.THEIRS: "what had landed was kept",
    Decision.EDITED: "edited by hand",
    Decision.COMBINED: "resolved by rule",
    Decision.DROPPED_NEED: "the need was dropped",
    Decision.ABORTED: "given up",
    Decision.FAILED: "failed",
}

_ALLOWED = {Decision.OURS: "allowed as it is", Decision.THEIRS: "left out"}
"""The texts for protected paths."""


class ToldConflict(Struct, frozen=True):
    """A conflict, or the first of many reported as one, its tasks, and its cost in seconds."""

    conflict: Conflict
    who: str
    cost_seconds: float | None


def told_conflicts(report: Report) -> Iterator[ToldConflict]:
    """Yield conflicts in order of appearance; many exclusions for one reason are one."""
    costs = report.history.costs.seconds
    alike: dict[str, list[Conflict]] = {}
    for conflict in report.state.conflicts:
        if _was_only_excluded(conflict):
            alike.setdefault(conflict.detail, []).append(conflict)
    for conflict in report.state.conflicts:
        same = alike.get(conflict.detail, []) if _was_only_excluded(conflict) else []
        if len(same) <= _MOST_APART:
            yield ToldConflict(conflict, " × ".join(conflict.tasks), costs.get(conflict.number))
        elif conflict is same[0]:
            tasks = list(dict.fromkeys(task for one in same for task in reversed(one.tasks)))
            known = [costs[one.number] for one in same if one.number in costs]
            who = f"{counted(len(tasks), 'task')} ({listed(tasks, _MOST_NAMED)})"
            yield ToldConflict(conflict, who, sum(known) if known else None)


def _was_only_excluded(conflict: Conflict) -> bool:
    return conflict.decision is Decision.SERIALISED and len(conflict.steps) == 1


def headline(told: ToldConflict) -> str:
    """Return kind, tasks, paths, decision and cost of a conflict."""
    conflict = told.conflict
    what = listed([file.path for file in conflict.files]) or conflict.detail
    spent = f", {clock(told.cost_seconds)}" if told.cost_seconds else ""
    return f"{conflict.kind}  {told.who}: {what}; {how_resolved(conflict)}{spent}"


def how_resolved(conflict: Conflict) -> str:
    """Describe a conflict's decision and who made it."""
    if conflict.decision is None:
        return _OPEN
    return f"{_words(conflict, conflict.decision)}{_by(conflict.resolved_by)}"


def times(report: Report, conflict: Conflict) -> tuple[str, str, str]:
    """Return the times of prediction, overlap and conflict from the run's start; empty if never."""
    predicted, overlapping, conflicting = (
        "" if at is None else clock(max(0.0, at - report.history.began_at))
        for at in (conflict.predicted_at, conflict.overlapping_at, conflict.conflicting_at)
    )
    return predicted and "before the start", overlapping, conflicting


def story_lines(report: Report, conflict: Conflict) -> Iterator[str]:
    """Yield when the conflict was known, and each step with its time and reason."""
    told = zip(
        ("predicted", "overlapping after", "conflicting after"),
        times(report, conflict),
        strict=True,
    )
    yield ", ".join(f"{how} {when}" for how, when in told if when)
    yield from step_lines(report, conflict)


def step_lines(report: Report, conflict: Conflict) -> Iterator[str]:
    """Yield each step with its time and its reason, unless that only repeats the conflict."""
    for step in conflict.steps:
        is_news = step.reason and step.reason != conflict.detail
        if is_news or len(conflict.steps) > 1:
            at = clock(max(0.0, step.at - report.history.began_at))
            why = f" ({step.reason})" if is_news else ""
            yield f"after {at} {_what_was_done(conflict, step)}{why}"


def one_by_one_line(report: Report) -> str:
    """Say since when writers run one at a time, and why."""
    state = report.state
    at = clock(max(0.0, (state.sequential_since or state.now) - report.history.began_at))
    return f"from {at} on, tasks that write ran one at a time: {state.sequential_reason}"


def prediction_lines(report: Report) -> Iterator[str]:
    """Yield sentences on the accuracy of predictions; none without predictions."""
    found, told = report.metrics, report.history.prediction_accuracy
    if told.precision is not None or told.recall is not None:
        changes = report.state.planned.past_changes
        basis = "" if changes is None else f", from {counted(changes, 'past change')}"
        yield (
            f"conflict prediction: precision {percent(told.precision)}, recall "
            f"{percent(told.recall)}{basis}"
        )
        yield (
            "a pair counts if it overlapped or conflicted, or was kept apart and changed one file"
        )
    if told.missed:
        yield f"not predicted: {_pairs(told.missed)}"
    if told.false_alarms:
        yield f"false alarms: {_pairs(told.false_alarms)}"
    if found.conflicts_live:
        yield f"{counted(found.conflicts_live, 'overlap')} seen while running"
    if told.writes:
        globs, files = sum(one.globs for one in told.writes), sum(one.files for one in told.writes)
        yield (
            f"write-set prediction: precision {percent(told.write_precision)} (of "
            f"{counted(globs, 'glob')}), recall {percent(told.write_recall)} (of "
            f"{counted(files, 'written file')})"
        )
    strays = [f"{one.task} {path}" for one in told.writes for path in one.unexpected]
    if strays:
        yield f"written unexpectedly: {_some(strays)}"


def _pairs(pairs: Sequence[Pair]) -> str:
    return _some([f"{first} × {second}" for first, second in pairs])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _what_was_done(conflict: Conflict, step: ConflictStep) -> str:
    if step.decision is None:
        return "it was left open"
    return f"{_words(conflict, step.decision)}{_by(step.by)}"


def _words(conflict: Conflict, decision: Decision) -> str:
    is_protected = conflict.kind is ConflictKind.PROTECTED
    return _ALLOWED.get(decision, _DECISIONS[decision]) if is_protected else _DECISIONS[decision]


def _by(who: str) -> str:
    return f" (by {who})" if who not in {"", PEX} else ""
