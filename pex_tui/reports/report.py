"""A run's report as one value: landings, failures, conflicts, and figures."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field, to_builtins

from pex_tui.core.events.run_events import Event
from pex_tui.core.figures.history import RunHistory, read_history
from pex_tui.core.figures.metrics import Metrics, measure
from pex_tui.core.lifecycle.predictions import PredictionAccuracy
from pex_tui.core.model.conflict import Conflict
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import Outcome, RunState
from pex_tui.core.model.task_state import Permission, TaskState, Verdict
from pex_tui.core.outcome import conclude
from pex_tui.reports.log_excerpt import LogEnd, LogPath, log_ends


class Report(Struct, frozen=True):
    """The data of a report, independent of its format."""

    state: RunState
    history: RunHistory
    metrics: Metrics
    outcome: Outcome
    exit_code: int
    logs: Mapping[TaskId, LogEnd] = field(default_factory=dict)  # of tasks that failed

    @property
    def denials(self) -> tuple[tuple[TaskId, Permission], ...]:
        """Return the permissions that agents were denied in their last attempts."""
        return tuple(
            (task.id, asked)
            for task in self.state.tasks
            for asked in task.permissions
            if asked.verdict is Verdict.DENY
        )

    @property
    def is_finished(self) -> bool:
        """Return whether the run has ended (for now)."""
        return self.state.outcome is not None


def make_report(events: Iterable[Event], where: LogPath | None = None) -> Report:
    """Return the report of a run's events so far; `where` returns the logs of failed attempts."""
    history = read_history(events)
    outcome, exit_code = conclude(history.state)
    if history.state.outcome is not None and history.state.exit_code is not None:
        outcome, exit_code = history.state.outcome, history.state.exit_code
    logs = log_ends(history.state, where) if where else {}
    return Report(history.state, history, measure(history), outcome, exit_code, logs)


def report_object(report: Report) -> dict[str, Any]:
    """Return the report as `report --format json` prints it; times are absolute seconds."""
    state = report.state
    return {
        "run": state.run,
        "goal": state.plan.goal,
        "outcome": report.outcome if report.is_finished else None,
        "exit_code": report.exit_code if report.is_finished else None,
        "base": state.base,
        "branch": state.branch,
        "sandbox": state.sandbox or None,
        "tasks": [_task_object(report, task) for task in state.tasks],
        "denied": [
            {"task": task, "tool": asked.tool, "title": asked.title, "by": asked.by}
            for task, asked in report.denials
        ],
        "conflicts": [_conflict_object(report.history, conflict) for conflict in state.conflicts],
        "sequential": _sequential_object(state),
        "flaky_gates": list(state.flaky),
        "notices": list(state.notices),
        "prediction": _prediction_object(state, report.history.prediction_accuracy),
        "metrics": to_builtins(report.metrics),
    }


def _task_object(report: Report, task: TaskState) -> dict[str, Any]:
    past, log = report.history.tasks[task.id], report.logs.get(task.id)
    return {
        "id": task.id,
        "agent": report.state.spec(task.id).agent,
        "outcome": task.phase,
        "reason": task.reason or None,
        "attempts": past.attempts,
        "started_at": past.first_started_at,
        "finished_at": task.ended_at,
        "commit": task.landed,
        "rolled_back": task.rolled_back,
        "files": list(task.files),
        "drift": list(task.drift),
        "own_commits": task.own_commits,
        "not_landed": to_builtins(task.unlanded),
        "waits": past.waits,
        "peak_bytes": task.peak_bytes,
        "cpu_seconds": task.cpu_seconds,
        "limits": task.tier or None,
        "tokens": task.tokens,
        "cost_usd": task.cost_usd,
        "log": log.path if log else None,
        "output": list(log.lines) if log else [],
    }


def _sequential_object(state: RunState) -> dict[str, Any] | None:
    """Return since when writers run one at a time, and why."""
    if not state.sequential:
        return None
    return {"since": state.sequential_since, "reason": state.sequential_reason}


def _conflict_object(history: RunHistory, conflict: Conflict) -> dict[str, Any]:
    return {
        "kind": conflict.kind,
        "tasks": list(conflict.tasks),
        "files": [file.path for file in conflict.files],
        "foreseen_at": conflict.predicted_at,
        "seen_at": conflict.overlapping_at,
        "met_at": conflict.conflicting_at,
        "decision": conflict.decision,
        "decided_by": conflict.resolved_by or None,
        "decided_at": conflict.resolved_at,
        "reason": conflict.steps[-1].reason or None if conflict.steps else None,
        "steps": to_builtins(conflict.steps),
        "detail": conflict.detail or None,
        "cost_seconds": history.costs.seconds.get(conflict.number),  # None if unknown
    }


def _prediction_object(state: RunState, told: PredictionAccuracy) -> dict[str, Any]:
    return {
        "past_changes": state.planned.past_changes,
        "foreseen": told.predicted,
        "hits": told.hits,
        "false_alarms": told.false_alarms,
        "missed": told.missed,
        "writes": to_builtins(told.writes),
    }
