"""Handling of a red gate: a flaky check, a base that is red as well, or the task's fault."""

from pex_tui.core.events.actions import RunGate
from pex_tui.core.events.landing_events import GateFinished
from pex_tui.core.landing.auto_resolution import as_conflict, failed_words
from pex_tui.core.landing.merge_conflicts import apply_merge_conflicted
from pex_tui.core.lifecycle.attempts import ready
from pex_tui.core.lifecycle.conflict_log import record_conflict, record_semantic_conflict
from pex_tui.core.lifecycle.merge_queue import leave_queue
from pex_tui.core.lifecycle.retry_prompts import gate_lesson
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.phases import LandingStage, Phase
from pex_tui.core.model.plan import GatePolicy
from pex_tui.core.model.semantics import Semantics
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import Failure, FailureKind, TaskState

_AWAITING = frozenset({LandingStage.MERGED, LandingStage.GATING, LandingStage.GATING_BASE})


def is_gated(state: RunState) -> bool:
    """Return whether candidates are tested before they land."""
    return bool(state.plan.verify) and not state.gate_off


def gate_failure(event: GateFinished) -> Failure:
    """Describe a red verdict."""
    return Failure(FailureKind.GATE, f"the gate failed: {event.command}", event.output)


def examine_failure(draft: Draft, task: TaskState) -> None:
    """Check why a task turns a green candidate red: rerun the gate, then test the base.

    If its merge was resolved automatically, the resolution is to blame: the conflict is restored.
    """
    if task.auto_resolution is not None:
        draft.notice(f"{task.id}: {failed_words(task.auto_resolution)}")
        apply_merge_conflicted(draft, task, as_conflict(task, task.auto_resolution))
        return
    if task.candidate is None:
        raise AssertionError(f"task {task.id} is to be examined without a merge")
    if draft.state.rules.gate_retries and not draft.state.base_gate_red:
        draft.change(task.id, landing_stage=LandingStage.GATING_AGAIN)
        draft.act(RunGate(task.id, task.attempt, task.candidate))
    else:
        _compare_with_base(draft, task)


def apply_repeated_verdict(draft: Draft, task: TaskState, event: GateFinished) -> None:
    """Apply the verdict of a second gate on the same candidate, or of a gate on the base."""
    if task.landing_stage is LandingStage.GATING_BASE:
        if event.commit == draft.state.base:
            draft.set(base_gate_red=not event.passed)
            _judge(draft, task)
    elif event.commit != task.candidate:
        return
    elif event.passed:
        command = task.failure.detail if task.failure else "the gate failed"
        draft.set(flaky=(*draft.state.flaky, task.id))
        draft.notice(
            f"The gate is flaky: {command.removeprefix('the ')}, and passed when it was run again "
            f"on the same files. {task.id} lands; fix the check."
        )
        draft.change(task.id, landing_stage=LandingStage.PASSED, failure=None)
    else:
        _compare_with_base(draft, draft.change(task.id, failure=gate_failure(event)))


def _compare_with_base(draft: Draft, task: TaskState) -> None:
    if draft.state.base_gate_red is None:
        draft.change(task.id, landing_stage=LandingStage.GATING_BASE)
        draft.act(RunGate(task.id, task.attempt, draft.state.base))
    else:
        _judge(draft, task)


def _judge(draft: Draft, task: TaskState) -> None:
    """Decide between the task's fault and a semantic conflict, and whether to rerun the task."""
    state = draft.state
    if state.base_gate_red and state.plan.gate is GatePolicy.OFF:
        _go_on_without(draft)
        return
    if state.base_gate_red and not any("red on the base" in text for text in state.notices):
        draft.notice(
            "The gate is red on the base as well, so only work that turns it green can land. "
            "Fix the base, or set `gate: off` in the plan."
        )
    leave_queue(draft, task)
    detail = task.failure.detail if task.failure else "the gate failed"
    if task.own_work is not None and state.semantics >= Semantics.ONE_WAIT_GRAPH:
        _ask(draft, task, detail)
        return
    task = draft.change(task.id, earlier=task.work)
    if draft.spec(task.id).brief is not None and task.gate_reruns < _retries(state, task):
        output = task.failure.output if task.failure else ""
        reruns = task.gate_reruns + 1
        lesson = gate_lesson(detail, output)
        draft.change(task.id, gate_reruns=reruns, lesson=lesson, seed=task.candidate)
        record_semantic_conflict(
            draft, task, Decision.RERUN, f"gate rerun {reruns} of {_retries(state, task)}"
        )
        ready(draft, task, f"again, as {detail}")
    elif task.tip != task.start_commit and task.gate_reruns == 0:
        draft.change(task.id, gate_reruns=1)
        record_semantic_conflict(
            draft, task, Decision.RERUN, "once more, from what had landed meanwhile"
        )
        ready(draft, task, "again, on the latest commit: the gate failed on the merge")
    else:
        record_semantic_conflict(draft, task, Decision.FAILED, "its reruns are used up")
        draft.move(task.id, Phase.FAILED, reason=detail)


def _ask(draft: Draft, task: TaskState, detail: str) -> None:
    """Leave a person's own result that fails the gate to that person: nothing runs again."""
    resolved = [one.files for one in draft.state.conflicts if one.tasks[0] == task.id and one.files]
    record_conflict(
        draft,
        ConflictKind.SEMANTIC,
        (task.id,),
        None,
        files=resolved[-1] if resolved else (),
        reason="a person's own result is not thrown away for a rerun: it waits for a person",
        conflicting_at=draft.now,
        tip=task.tip,
        detail=detail,
    )
    draft.move(task.id, Phase.CONFLICT, reason=f"{detail}, on what was decided by hand")


def _go_on_without(draft: Draft) -> None:
    draft.set(gate_off=True)
    draft.notice("The gate is red on the base as well; `gate: off` lands without it.")
    for task in draft.state.tasks:
        if task.landing_stage in _AWAITING:
            draft.change(task.id, landing_stage=LandingStage.PASSED, failure=None)


def _retries(state: RunState, task: TaskState) -> int:
    own = state.spec(task.id).retries
    return state.rules.max_retries if own is None else own
