"""The figures of a run, each with the bound that says how good it could have been.

T is the makespan, T₁ the work, T∞ the critical path, m the slots. Sources: Brent and Graham for
the ceiling min(1, T₁/(m·T∞)) and the bound max(T∞, T₁/m).
"""

import math
from dataclasses import dataclass

from pex_tui.core.history import BACKOFF, RunHistory
from pex_tui.core.plan import LockMode
from pex_tui.core.state import WaitCause


@dataclass(frozen=True, slots=True)
class WaitFigures:
    """Seconds that started tasks had waited, ready but not started."""

    mean: float
    p95: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """All figures; seconds and fractions. None where nothing was there to measure."""

    makespan_seconds: float
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
    false_alarms: int | None
    tokens: int | None = None
    cost_usd: float | None = None


def measure(history: RunHistory) -> Metrics:
    """The figures of a run's history."""
    works = [history.tasks[spec.id].work_seconds for spec in history.state.plan.tasks]
    makespan = max(0.0, history.ended_at - history.began_at - history.idle_seconds)
    work, critical = sum(works), _critical_path(history, works)
    bound = max(
        critical,
        work / history.most_slots,
        _busiest_lock(history, works),
        _heaviest_clique(history, works),
        history.gate_seconds,
    )
    latencies = [second for task in history.tasks.values() for second in task.latencies]
    return Metrics(
        makespan_seconds=makespan,
        work_seconds=work,
        critical_path_seconds=critical,
        lower_bound_seconds=bound,
        speedup=_ratio(work, makespan),
        time_savings=_minus(1.0, _ratio(makespan, work)),
        parallel_efficiency=_ratio(work, history.slot_seconds),
        efficiency_ceiling=_capped(_ratio(work, history.most_slots * critical)),
        schedule_efficiency=_capped(_ratio(bound, makespan)),
        thread_utilization=_capped(_ratio(history.busy_seconds, history.slot_seconds)),
        wait_seconds=_waits(history),
        dispatch_latency_p95_seconds=percentile(latencies, 0.95) if latencies else None,
        conflict_rate=_ratio(len(history.conflicted), len(history.merged)),
        conflicts_predicted=len(history.state.graph.exclusive_pairs()),
        conflicts_live=None,
        conflicts_missed=history.surprises,
        false_alarms=None,
    )


def percentile(values: list[float], fraction: float) -> float:
    """The nearest-rank percentile of at least one value."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]


def _ratio(over: float, under: float) -> float | None:
    return over / under if under > 0 else None


def _minus(whole: float, part: float | None) -> float | None:
    return None if part is None else whole - part


def _capped(fraction: float | None) -> float | None:
    """Clocks of shim and engine differ by a little: no fraction of a bound is above 1."""
    return None if fraction is None else min(1.0, fraction)


def _critical_path(history: RunHistory, works: list[float]) -> float:
    graph = history.state.graph
    ends: dict[int, float] = {}
    for position in graph.order:
        before = max((ends[need] for need in graph.needs[position]), default=0.0)
        ends[position] = before + works[position]
    return max(ends.values(), default=0.0)


def _busiest_lock(history: RunHistory, works: list[float]) -> float:
    """Holders of one lock in exclusive mode run one after the other."""
    held: dict[str, float] = {}
    for spec, work in zip(history.state.plan.tasks, works, strict=True):
        for request in spec.locks:
            if request.mode is LockMode.EXCLUSIVE:
                held[request.name] = held.get(request.name, 0.0) + work
    return max(held.values(), default=0.0)


def _heaviest_clique(history: RunHistory, works: list[float]) -> float:
    """A clique of tasks that exclude one another, found greedily from each: a lower bound of it."""
    excluded = history.state.graph.excluded
    heaviest = 0.0
    for start in range(len(works)):
        clique = [start]
        for other in sorted(excluded[start], key=lambda position: -works[position]):
            if all(other in excluded[member] for member in clique):
                clique.append(other)
        heaviest = max(heaviest, sum(works[member] for member in clique))
    return heaviest


def _waits(history: RunHistory) -> dict[str, WaitFigures]:
    started = [task for task in history.tasks.values() if task.attempts]
    figures = {}
    for cause in (*(str(cause) for cause in WaitCause), BACKOFF):
        waited = [task.waits.get(cause, 0.0) for task in started]
        mean = sum(waited) / len(waited) if waited else 0.0
        figures[cause] = WaitFigures(mean, percentile(waited, 0.95) if waited else 0.0)
    return figures
