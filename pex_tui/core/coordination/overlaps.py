"""Reaction to observed writes: write sets grow, and one of two overlapping tasks makes way."""

from typing import assert_never

from msgspec.structs import replace

from pex_tui.core.coordination.write_leases import paused_for, stop_waiting_for
from pex_tui.core.events.actions import PauseAgent, ResumeAgent, TellAgent
from pex_tui.core.events.overlap_events import OverlapEvent, OverlapGone, OverlapSeen, WritesSeen
from pex_tui.core.globs.globs import matches
from pex_tui.core.lifecycle.attempts import stop, wants_pause
from pex_tui.core.lifecycle.conflict_log import record_conflict, record_restart_after
from pex_tui.core.lifecycle.lock_graph import is_waiting_for, wait_graph
from pex_tui.core.lifecycle.predictions import predicted_at
from pex_tui.core.lifecycle.preemption import preemption_cost
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import ConflictKind, ConflictPath, Decision, Overlap
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import HOLDS_SLOT, IN_FLIGHT, Phase
from pex_tui.core.model.plan import Plan, PredictedConflict, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import OverlapPolicy
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.task_state import StopCause, TaskState

_CAN_YIELD = frozenset({Phase.RUNNING, Phase.PAUSED})
_MOST_PREDICTED = 50  # paths kept as the write set of a task without a declaration
_MOST_NAMED = 3
_SETTING = "conflict_resolution.radar"


def apply_overlap_event(draft: Draft, event: OverlapEvent) -> None:
    """Apply an observation; those of no live attempt are dropped."""
    match event:
        case WritesSeen():
            task = draft.task(event.task)
            if task.attempt == event.attempt and task.phase in HOLDS_SLOT:
                _apply_writes_seen(draft, draft.change(task.id, files=event.files))
        case OverlapSeen():
            _apply_overlap_seen(draft, event)
        case OverlapGone():
            kept = [one for one in draft.state.overlaps if not _is_between(one, event)]
            draft.set(overlaps=tuple(kept))


def resume_yielding(draft: Draft) -> None:
    """Release paused tasks: rerun after the other has landed, resume if it will not land."""
    for _, task in draft.state.live():
        if task.yields_to is None or task.phase not in _CAN_YIELD:
            continue
        is_one_graph = draft.state.semantics >= Semantics.ONE_WAIT_GRAPH
        waits_on = paused_for(task) if is_one_graph else (task.yields_to,)
        others = [draft.task(name) for name in waits_on]
        landed = next((one for one in others if one.phase is Phase.LANDED), None)
        if landed is not None:
            reason = f"again, on top of what {landed.id} has landed"
            record_restart_after(draft, task.id, landed.id)
            stop(draft, draft.change(task.id, reason=reason), StopCause.YIELD)
            continue
        for other in others:
            if other.phase not in IN_FLIGHT and is_one_graph:
                stop_waiting_for(draft, task.id, other.id)
            elif other.phase not in IN_FLIGHT:
                freed = draft.change(task.id, yields_to=None)
                if freed.phase is Phase.PAUSED and not wants_pause(draft.state, freed):
                    draft.act(ResumeAgent(task.id, task.attempt))


def _apply_writes_seen(draft: Draft, task: TaskState) -> None:
    """Add the paths that a task wrote outside its known write set."""
    spec = draft.spec(task.id)
    known = spec.writes or spec.predicted_writes
    outside = [path for path in task.files if not any(matches(glob, path) for glob in known)]
    if not outside or spec.is_read_only:
        return
    if spec.writes is None:
        room = max(0, _MOST_PREDICTED - len(known))
        widened = replace(spec, predicted_writes=(*known, *outside[:room]))
    else:
        draft.change(task.id, drift=tuple(dict.fromkeys((*task.drift, *outside))))
        widened = replace(spec, writes=(*spec.writes, *outside))
    if widened != spec:
        _replan(draft, widened, outside)


def _replan(draft: Draft, widened: TaskSpec, outside: list[str]) -> None:
    """Check the rest of the plan against the wider write set, and report who waits for it now."""
    position = draft.state.graph.index[widened.id]
    before = draft.state.graph.excluded[position]
    _with_spec(draft, widened)
    state = draft.state
    waiting = [
        state.tasks[other].id
        for other in state.graph.excluded[position]
        if other not in before and state.tasks[other].phase in {Phase.WAITING, Phase.READY}
    ]
    if waiting or widened.writes is not None:
        then = f"; {', '.join(waiting)} will wait for it" if waiting else ""
        verb = "writes" if widened.writes is None else "also writes"
        shown = ", ".join(outside[:_MOST_NAMED])
        more = f" and {len(outside) - _MOST_NAMED} more" if len(outside) > _MOST_NAMED else ""
        declared = "" if widened.writes is None else ", which it did not declare"
        draft.notice(f"{widened.id} {verb} {shown}{more}{declared}{then}.")


def _with_spec(draft: Draft, spec: TaskSpec) -> None:
    plan = draft.state.plan
    tasks = tuple(spec if one.id == spec.id else one for one in plan.tasks)
    _with_plan(draft, replace(plan, tasks=tasks))


def _with_plan(draft: Draft, plan: Plan) -> None:
    """Replace the plan by one of the same tasks; tasks at work continue."""
    state = draft.state
    graph = PlanGraph.build(plan, state.rules)
    working = [position for position, task in state.live() if task.phase in HOLDS_SLOT]
    caught = {
        frozenset({state.tasks[one].id, state.tasks[other].id})
        for one in working
        for other in working
        if other in graph.excluded[one]
    }
    draft.set(plan=plan, graph=graph, caught=frozenset(caught))


def _apply_overlap_seen(draft: Draft, event: OverlapSeen) -> None:
    state = draft.state
    pair = (event.first, event.second)
    phases = {draft.task(name).phase for name in pair}
    if phases.isdisjoint(IN_FLIGHT) or not phases <= IN_FLIGHT | {Phase.LANDED}:
        return
    known = next((one for one in state.overlaps if _is_between(one, event)), None)
    since = draft.now if known is None else known.since
    others = tuple(one for one in state.overlaps if one is not known)
    draft.set(overlaps=(*others, Overlap(pair, event.paths, since)))
    if known is None:
        first, decision, reason = _react(draft, pair, event.paths)
        second = event.second if first == event.first else event.first
        record_conflict(
            draft,
            ConflictKind.WRITE,
            (first, second),
            decision,
            reason=reason,
            files=event.paths,
            predicted_at=predicted_at(state, *pair),
            overlapping_at=draft.now,
            detail=f"overlapping at work: both change {_named(event.paths)}",
        )


def _react(
    draft: Draft, pair: tuple[TaskId, TaskId], paths: tuple[ConflictPath, ...]
) -> tuple[TaskId, Decision, str]:
    """Apply the policy; return who makes way (or may have to), the decision, and the reason."""
    policy = draft.state.rules.radar
    weaker = min(pair, key=lambda name: preemption_cost(draft.state, name))
    other = pair[1] if weaker == pair[0] else pair[0]
    what = f"{pair[0]} and {pair[1]} both change {_named(paths)}, and it won't merge"
    can_yield = [
        name for name, to in ((weaker, other), (other, weaker)) if _can_yield(draft, name, to)
    ]
    if policy is OverlapPolicy.TELL and _tell(draft, pair, paths):
        draft.notice(f"{what}: the agents were informed.")
        return weaker, Decision.TOLD, f"{_SETTING} is {policy}"
    if policy in {OverlapPolicy.PAUSE, OverlapPolicy.SERIALISE} and can_yield:
        least, weaker = weaker, can_yield[0]
        other = pair[1] if weaker == pair[0] else pair[0]
        why = f"has less to lose than {other}" if weaker == least else "is the only one that can"
        reason = f"{_SETTING} is {policy}, and {weaker} {why}"
        if policy is OverlapPolicy.PAUSE:
            return weaker, _pause(draft, weaker, other, what), reason
        return weaker, _serialise(draft, weaker, other, what, paths), reason
    draft.notice(f"{what}. Pause or abort one, or resolve it when they land.")
    return weaker, Decision.WARNED, _why_only_warned(policy)


def _why_only_warned(policy: OverlapPolicy) -> str:
    match policy:
        case OverlapPolicy.TELL:
            return "neither agent takes messages"
        case OverlapPolicy.PAUSE | OverlapPolicy.SERIALISE:
            return "neither can make way any more"
        case OverlapPolicy.WARN | OverlapPolicy.OFF:
            return f"{_SETTING} is {policy}"
        case _:
            assert_never(policy)


def _pause(draft: Draft, weaker: TaskId, other: TaskId, what: str) -> Decision:
    task = draft.change(weaker, yields_to=other)
    if task.phase is Phase.RUNNING:
        draft.act(PauseAgent(weaker, task.attempt, gently=task.listens))
    draft.notice(f"{what}: {weaker} is paused until {other} has landed.")
    return Decision.PAUSED


def _serialise(
    draft: Draft, weaker: TaskId, other: TaskId, what: str, paths: tuple[ConflictPath, ...]
) -> Decision:
    """Exclude the two for good: the weaker restarts once the other has landed."""
    plan = draft.state.plan
    seen = PredictedConflict(weaker, other, 1.0, f"both change {_named(paths)}")
    lifted = tuple(
        replace(spec, beside=tuple(name for name in spec.beside if name not in {weaker, other}))
        if spec.id in {weaker, other}
        else spec
        for spec in plan.tasks
    )
    _with_plan(draft, replace(plan, tasks=lifted, collisions=(seen, *plan.collisions)))
    task = draft.change(weaker, reason=f"again, after {other}")
    stop(draft, task, StopCause.YIELD)
    draft.notice(f"{what}: {weaker} starts again after {other}.")
    return Decision.SERIALISED


def _tell(draft: Draft, pair: tuple[TaskId, TaskId], paths: tuple[ConflictPath, ...]) -> bool:
    """Tell both agents of each other; return whether one of them takes messages."""
    listening = [task for name in pair if (task := draft.task(name)).listens]
    for task in listening:
        other = pair[1] if task.id == pair[0] else pair[0]
        draft.act(
            TellAgent(
                task.id,
                task.attempt,
                f"Another task ({other}) is changing the same lines as you right now: "
                f"{_named(paths)}. Keep your change there as small as you can, or leave it to the "
                "other task.",
            )
        )
    return bool(listening)


def _can_yield(draft: Draft, name: TaskId, to: TaskId) -> bool:
    """Return whether the task can pause for the other without anybody waiting for it."""
    state, task = draft.state, draft.task(name)
    if task.phase not in _CAN_YIELD or task.yields_to is not None:
        return False
    if any(name in paused_for(one) for one in state.tasks):
        return False
    is_one_graph = state.semantics >= Semantics.ONE_WAIT_GRAPH
    return not (is_one_graph and is_waiting_for(wait_graph(state), ("task", to), ("task", name)))


def _is_between(overlap: Overlap, event: OverlapSeen | OverlapGone) -> bool:
    return set(overlap.tasks) == {event.first, event.second}


def _named(paths: tuple[ConflictPath, ...]) -> str:
    shown = ", ".join(str(path) for path in paths[:_MOST_NAMED])
    more = len(paths) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
