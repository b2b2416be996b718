"""The metrics of a run, each with the bound of what was possible.

T is the makespan, T₁ the work, T∞ the critical path, m(t) the number of slots. Sources: Brent and
Graham for the bound max(T∞, T₁/m) and the ceiling min(1, T₁/(m·T∞)). Where m changes, T₁/m is the
time in which the slots can process T₁, and the ceiling is T₁ over their capacity within that bound.
"""

import math

from msgspec import Struct

from pex_tui.core.figures.history import RunHistory
from pex_tui.core.figures.lower_bounds import (
    busiest_lock,
    critical_path,
    heaviest_clique,
    seconds_to_carry,
    slot_seconds,
)
from pex_tui.core.figures.time_accounting import BACKOFF
from pex_tui.core.formatting import total
from pex_tui.core.model.run_rules import OverlapPolicy
from pex_tui.core.model.task_state import WaitCause


class WaitFigures(Struct, frozen=True):
    """Seconds that started tasks had waited between ready and start."""

    mean: float
    p95: float


class Metrics(Struct, frozen=True):
    """All metrics, in seconds and fractions; None without anything to measure.

    `person_seconds` is time in which the run waited for a person, `idle_seconds` time without an
    engine; with the makespan they add up to the time from the plan to the end. `conflict_rate` is
    the share of merges that conflicted. `conflicts_predicted`, `_missed`, `_live` and
    `false_alarms` count pairs of tasks: predicted; overlapping or conflicting but not predicted;
    overlapping at work (None without the overlap monitor); and predicted, but both succeeded
    without a common file. `PredictionAccuracy` defines these, and what precision and recall are
    shares of.
    """

    makespan_seconds: float
    person_seconds: float
    idle_seconds: float
    work_seconds: float
    critical_path_seconds: float
    lower_bound_seconds: float
    speedup: float | None
    time_savings: float | None
    parallel_efficiency: float | None
    efficiency_ceiling: float | None
    schedule_efficiency: float | None
    thread_utilization: float | None
    wait_seconds: dict[str, WaitFigures]
    dispatch_latency_p95_seconds: float | None
    conflict_rate: float | None
    conflicts_predicted: int
    conflicts_live: int | None
    conflicts_missed: int
    false_alarms: int
    conflict_precision: float | None
    conflict_recall: float | None
    write_precision: float | None
    write_recall: float | None
    tokens: int | None = None
    cost_usd: float | None = None


def measure(history: RunHistory) -> Metrics:
    """Return the metrics of a run's history."""
    state = history.state
    works = [history.tasks[spec.id].work_seconds for spec in state.plan.tasks]
    makespan = history.makespan_seconds
    work, critical = sum(works), critical_path(state.graph, works)
    carried = seconds_to_carry(work, history.slots)
    bound = max(
        critical,
        carried,
        busiest_lock(state.plan.tasks, works),
        heaviest_clique(_binding_exclusions(history), works),
        history.gate_seconds,
    )
    told = history.prediction_accuracy
    latencies = [second for task in history.tasks.values() for second in task.latencies]
    return Metrics(
        makespan_seconds=makespan,
        person_seconds=history.person_seconds,
        idle_seconds=history.idle_seconds,
        work_seconds=work,
        critical_path_seconds=critical,
        lower_bound_seconds=bound,
        speedup=_ratio(work, makespan),
        time_savings=_minus(1.0, _ratio(makespan, work)),
        parallel_efficiency=_capped(_ratio(work, slot_seconds(history.slots))),
        efficiency_ceiling=_capped(
            _ratio(work, slot_seconds(history.slots, max(critical, carried)))
        ),
        schedule_efficiency=_capped(_ratio(bound, makespan)),
        thread_utilization=_capped(_ratio(history.busy_seconds, slot_seconds(history.slots))),
        wait_seconds=_waits(history),
        dispatch_latency_p95_seconds=percentile(latencies, 0.95) if latencies else None,
        conflict_rate=_ratio(len(history.conflicting_tasks), len(history.merged)),
        conflicts_predicted=len(told.predicted),
        conflicts_live=None
        if state.rules.radar is OverlapPolicy.OFF
        else len(history.overlapping_pairs),
        conflicts_missed=len(told.missed),
        false_alarms=len(told.false_alarms),
        conflict_precision=told.precision,
        conflict_recall=told.recall,
        write_precision=told.write_precision,
        write_recall=told.write_recall,
        tokens=total(task.tokens for task in state.tasks),
        cost_usd=total(task.cost_usd for task in state.tasks),
    )


def _binding_exclusions(history: RunHistory) -> list[dict[int, str]]:
    """Return each task's neighbours that exclusion kept from running in parallel.

    Exclusions that the overlap monitor adds concern tasks already at work, so they bound no
    schedule.
    """
    pasts = [history.tasks[spec.id] for spec in history.state.plan.tasks]
    return [
        {other: why for other, why in neighbours.items() if not past.ran_beside(pasts[other])}
        for past, neighbours in zip(pasts, history.state.graph.excluded, strict=True)
    ]


def percentile(values: list[float], fraction: float) -> float:
    """Return the nearest-rank percentile of at least one value."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]


def _ratio(over: float, under: float) -> float | None:
    return over / under if under > 0 else None


def _minus(whole: float, part: float | None) -> float | None:
    return None if part is None else whole - part


def _capped(fraction: float | None) -> float | None:
    """Cap a fraction of a bound at 1, as the clocks of shim and engine differ slightly."""
    return None if fraction is None else min(1.0, fraction)


def _waits(history: RunHistory) -> dict[str, WaitFigures]:
    started = [task for task in history.tasks.values() if task.attempts]
    figures = {}
    for cause in (*(str(cause) for cause in WaitCause), BACKOFF):
        waited = [task.waits.get(cause, 0.0) for task in started]
        mean = sum(waited) / len(waited) if waited else 0.0
        figures[cause] = WaitFigures(mean, percentile(waited, 0.95) if waited else 0.0)
    return figures
