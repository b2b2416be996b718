"""View models of the monitor: frozen values, equal while nothing visible has changed.

Unreported progress stays unknown; in the overall progress it counts as nothing done.
"""

from functools import lru_cache

from msgspec import Struct

from pex_tui.core.formatting import clock, percent, short, tokens, total
from pex_tui.core.liveness import waits_for_a_person
from pex_tui.core.model.ids import SlotId, TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, SUCCEEDED, TERMINAL, Phase, RunStage
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_refs import attempt_ref
from pex_tui.core.model.state import LandStatus, Outcome, RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.run_time import elapsed_seconds, shown_at
from pex_tui.core.sanitize import clean
from pex_tui.core.views.remaining_time import attempt_seconds, eta_seconds
from pex_tui.core.views.status import Status
from pex_tui.core.views.status_text import StartQueue, activity, start_queue, status_of

_NOT_BEGUN = frozenset({Phase.WAITING, Phase.READY, Phase.STARTING})
_OUTCOMES = {
    Outcome.OK: "done",
    Outcome.FAILED: "failed",
    Outcome.GATE_FAILED: "gate failed",
    Outcome.CONFLICTS: "conflicts left",
    Outcome.ABORTED: "aborted",
    Outcome.DENIED: "permission denied",
    Outcome.INTERRUPTED: "interrupted",
    Outcome.ROLLED_BACK: "rolled back",
}
_LAND_STATUSES = {
    LandStatus.NOT_ASKED: Status.WAITING,
    LandStatus.ASKED: Status.LANDING,
    LandStatus.RUNNING: Status.LANDING,
    LandStatus.LANDED: Status.DONE,
    LandStatus.REFUSED: Status.FAILED,
}


class TaskRow(Struct, frozen=True):
    """One task in the list. `progress` is 0…1, or None if unknown."""

    id: TaskId
    status: Status
    agent: str
    title: str
    progress: float | None
    percent: str
    activity: str
    time: str
    tokens: str
    cost: str
    boosted: bool
    attempt: int
    ref: str
    """The ref that keeps the work of the last attempt; empty if there is none."""


class SlotView(Struct, frozen=True):
    """A slot and its holder; `status` is None while it is free."""

    slot: SlotId
    task: TaskId | None = None
    status: Status | None = None


class HeaderView(Struct, frozen=True):
    """The run in three lines. `eta` is empty when unknown."""

    run: str
    goal: str
    status: Status
    stage: str
    wave: int
    waves: int
    elapsed: str
    eta: str
    base: str
    progress: float
    ended: int
    tasks: int
    slots: tuple[SlotView, ...]
    boosted: bool
    counts: tuple[tuple[Status, int], ...]
    open_conflicts: int
    questions: int
    tokens: int | None
    cost_usd: float | None
    land: str
    landing_status: Status


def task_rows(state: RunState, now: float) -> tuple[TaskRow, ...]:
    """Return all tasks in plan order; `now` in absolute seconds."""
    queue = start_queue(state)
    now = shown_at(state, now)
    return tuple(_row(state, task, now, queue) for task in state.tasks)


def task_row(state: RunState, task_id: TaskId, now: float) -> TaskRow:
    """Return one task; `now` in absolute seconds."""
    return _row(state, state.task(task_id), shown_at(state, now), start_queue(state))


def _row(state: RunState, task: TaskState, now: float, queue: StartQueue) -> TaskRow:
    spec = state.spec(task.id)
    known = None if task.phase in _NOT_BEGUN else task.progress
    fraction = 1.0 if task.phase in SUCCEEDED else known
    seconds = attempt_seconds(task, now)
    return TaskRow(
        id=task.id,
        status=status_of(state, task),
        agent=clean(spec.agent or "command"),
        title=clean(spec.title),
        progress=fraction,
        percent="" if task.phase in _NOT_BEGUN else percent(fraction),
        activity=activity(state, task, now, queue),
        time="" if seconds is None else clock(seconds),
        tokens="" if task.tokens is None else tokens(task.tokens),
        cost="" if task.cost_usd is None else f"{task.cost_usd:.2f}",
        boosted=task.boosted,
        attempt=task.attempt,
        ref=attempt_ref(state.run, task.id, task.attempt) if task.work else "",
    )


def slot_view(state: RunState, slot: SlotId) -> SlotView:
    """Return a slot with its holder."""
    for task in state.tasks:
        if task.slot == slot and task.phase in HOLDS_SLOT:
            return SlotView(slot, task.id, status_of(state, task))
    return SlotView(slot)


def slot_views(state: RunState) -> tuple[SlotView, ...]:
    """Return the slots; those above the capacity show until they are free."""
    held = [task.slot for task in state.tasks if task.slot is not None]
    most = max([state.capacity, *held], default=0)
    return tuple(slot_view(state, SlotId(number)) for number in range(1, most + 1))


def overall_progress(state: RunState) -> float:
    """Return the share of the estimated work that is known to be done, 0…1.

    Skipped tasks are no work: their estimates would hide what is left of the others.
    """
    pairs = zip(state.plan.tasks, state.tasks, strict=True)
    work = [(spec, task) for spec, task in pairs if task.phase is not Phase.SKIPPED]
    total = sum(spec.estimate_seconds for spec, _ in work)
    if not total:
        return 1.0 if state.tasks else 0.0
    return min(1.0, sum(spec.estimate_seconds * _share(task) for spec, task in work) / total)


def _share(task: TaskState) -> float:
    if task.phase in TERMINAL:
        return 1.0
    return 0.0 if task.phase in _NOT_BEGUN else task.progress or 0.0


def header_view(state: RunState, now: float) -> HeaderView:
    """Return the run as a whole; `now` in absolute seconds."""
    waves = _waves(state.graph)
    unfinished = [
        wave for wave, task in zip(waves, state.tasks, strict=True) if task.phase not in TERMINAL
    ]
    most = max(waves, default=0)
    status, stage = _stage(state)
    statuses = [status_of(state, task) for task in state.tasks]
    return HeaderView(
        run=state.run,
        goal=clean(state.plan.goal),
        status=status,
        stage=stage,
        wave=min(unfinished, default=most),
        waves=most,
        elapsed=clock(elapsed_seconds(state, now)),
        eta="" if (left := eta_seconds(state, now)) is None else clock(left),
        base=f"{clean(state.target or 'HEAD')}@{short(state.base)}",
        progress=overall_progress(state),
        ended=sum(task.phase in TERMINAL for task in state.tasks),
        tasks=len(state.tasks),
        slots=slot_views(state),
        boosted=state.capacity_before_boost is not None,
        counts=tuple((kind, statuses.count(kind)) for kind in Status if kind in statuses),
        open_conflicts=len(state.open_conflicts),
        questions=sum(len(task.asks) for task in state.tasks),
        tokens=total(task.tokens for task in state.tasks),
        cost_usd=total(task.cost_usd for task in state.tasks),
        land=_land(state),
        landing_status=_LAND_STATUSES[state.land_status],
    )


def _stage(state: RunState) -> tuple[Status, str]:
    match state.stage:
        case RunStage.RUNNING if waits_for_a_person(state):
            return Status.PAUSED, "waits for you"
        case RunStage.RUNNING:
            return Status.RUNNING, "running"
        case RunStage.PAUSED:
            return Status.PAUSED, "paused"
        case RunStage.DRAINING:
            return Status.STOPPING, "stopping"
        case RunStage.FINISHED:
            outcome = state.outcome or Outcome.FAILED
            status = Status.DONE if outcome is Outcome.OK else Status.FAILED
            return status, _OUTCOMES[outcome]


def _land(state: RunState) -> str:
    target = clean(state.target or "")
    match state.land_status:
        case LandStatus.ASKED | LandStatus.RUNNING:
            return f"landing on {target}"
        case LandStatus.LANDED:
            return f"landed on {target}"
        case LandStatus.REFUSED:
            return f"not landed: {clean(state.land_detail)}"
        case LandStatus.NOT_ASKED:
            waits = state.stage is RunStage.FINISHED and target and state.has_landed
            return f"not merged into {target}: press L" if waits else ""


@lru_cache(maxsize=4)
def _waves(graph: PlanGraph) -> tuple[int, ...]:
    """Return the wave of each task: one more than the latest of its needs."""
    waves = [1] * len(graph.needs)
    left = [len(needs) for needs in graph.needs]
    stack = [position for position, count in enumerate(left) if not count]
    while stack:
        position = stack.pop()
        for dependent in graph.dependents[position]:
            waves[dependent] = max(waves[dependent], waves[position] + 1)
            left[dependent] -= 1
            if not left[dependent]:
                stack.append(dependent)
    return tuple(waves)
