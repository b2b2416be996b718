"""Details of one task as labelled lines."""

from collections.abc import Iterator

from pex_tui.core.formatting import clock, counted, listed, percent, short, size, tokens
from pex_tui.core.lifecycle.lock_graph import lock_names
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.memory import TIERS, reserved_bytes
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.plan import Isolation, LockMode, TaskSpec
from pex_tui.core.model.run_rules import Enforcement
from pex_tui.core.model.sandbox import NO_SANDBOX
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.run_time import elapsed_seconds, shown_at
from pex_tui.core.sanitize import clean
from pex_tui.core.views.remaining_time import attempt_seconds
from pex_tui.core.views.status_text import activity, start_queue, waits_on

DetailLine = tuple[str, str]
"""A label and a value; an empty label continues the one before."""


def task_details(state: RunState, task_id: TaskId, now: float) -> tuple[DetailLine, ...]:
    """Return the task's facts, sanitized; `now` in absolute seconds."""
    task, spec, now = state.task(task_id), state.spec(task_id), shown_at(state, now)
    found = (
        *_situation(state, task, now),
        *_times(state, task, spec, now),
        *_circumstances(state, task, spec),
        *_work(state, task, spec),
        *_history(state, task),
    )
    return tuple((label, clean(text)) for label, text in found)


def _situation(state: RunState, task: TaskState, now: float) -> Iterator[DetailLine]:
    yield "now", activity(state, task, now, start_queue(state))
    if task.attempt:
        extra = [
            f"{number} {what}"
            for number, what in (
                (task.failures, "failed"),
                (task.reruns, "rerun after a conflict"),
                (task.gate_reruns, "rerun after a red gate"),
            )
            if number
        ]
        yield "attempt", ", ".join([str(task.attempt), *extra])
    if task.exit_code is not None:
        yield "exit code", str(task.exit_code)
    if task.failure is not None:
        yield "failure", f"{task.failure.kind}: {task.failure.detail}"
        yield from (("", line) for line in task.failure.output.splitlines()[-8:])
    if task.tokens is not None:
        cost = "" if task.cost_usd is None else f", ${task.cost_usd:.2f}"
        yield "tokens", f"{tokens(task.tokens)}{cost}"
    for asked in task.permissions:
        answer = (
            "waits for an answer" if asked.verdict is None else f"{asked.verdict} by {asked.by}"
        )
        yield "asked", f"{asked.title}: {answer.replace('_', ' ')}"
    if task.boosted:
        yield "boosted", "goes first among the ready tasks"


def _times(state: RunState, task: TaskState, spec: TaskSpec, now: float) -> Iterator[DetailLine]:
    worked = attempt_seconds(task, now)
    estimate = f"{clock(spec.estimate_seconds)} estimated"
    yield "time", estimate if worked is None else f"{clock(worked)} of {estimate}"
    if task.phase is Phase.WAITING and task.dispatched_at is None:
        yield "waiting", f"{clock(elapsed_seconds(state, now))}, since the run began"
    elif task.phase is Phase.READY and task.ready_at is not None:
        begun = clock(task.ready_at - state.created_at)
        yield "waiting", f"{clock(now - task.ready_at)}, ready since {begun} into the run"
    if task.paused_seconds:
        yield "paused", f"{clock(task.paused_seconds)} in all"
    if spec.timeout_seconds is not None:
        yield "timeout", clock(spec.timeout_seconds)
    if task.ready_at is not None and task.dispatched_at is not None:
        waited = task.dispatched_at - task.ready_at
        if waited >= 1:
            yield "waited", f"{clock(waited)} for its start"
    if task.ended_at is not None:
        yield "ended", f"{clock(task.ended_at - state.created_at)} into the run"


def _circumstances(state: RunState, task: TaskState, spec: TaskSpec) -> Iterator[DetailLine]:
    if spec.needs:
        yield "needs", ", ".join(f"{need} ({state.task(need).phase})" for need in spec.needs)
    for lock in spec.locks:
        mode = "" if lock.mode is LockMode.EXCLUSIVE else " (shared)"
        yield "lock", f"{lock.name}{mode}"
    for claim in state.claims:
        if claim.task == task.id:
            yield "wants lock" if claim.is_waiting else "holds lock", lock_names(claim)
    if task.wait is not None:
        yield "waits on", ", ".join(waits_on(state, task, start_queue(state)))
    yield "reserves", _reserves(state, spec)
    if task.tier:
        yield "limits", TIERS.get(task.tier, task.tier)
    used = _used(task)
    if used:
        yield "used", used
    if state.sandbox:
        yield "sandbox", _sandbox(state, spec)
    yield "priority", spec.priority
    if task.slot is not None:
        yield "slot", str(task.slot)
    if task.pid is not None:
        yield "pid", str(task.pid)
    if task.workspace:
        yield "workspace", task.workspace
    if task.start_commit is not None:
        yield "starts from", short(task.start_commit)
    yield "command", " ".join(spec.argv)
    if spec.folder:
        yield "runs in", spec.folder


def _reserves(state: RunState, spec: TaskSpec) -> str:
    """Describe what the task reserves, and whether it is held to that."""
    rules = state.rules
    cores = (
        f"{percent(rules.cpu_per_agent)} of the machine's CPU"
        if spec.cpu_cores is None
        else f"{percent(spec.cpu_cores)} of a core"
    )
    is_held = rules.enforce is Enforcement.ALWAYS
    held = "always held to it" if is_held else "held to it only while others need it"
    return f"{size(reserved_bytes(spec, rules))} of memory, {cores}; {held}"


def _used(task: TaskState) -> str:
    """Describe what the attempt used, once it has ended."""
    memory = "" if task.peak_bytes is None else f"at most {size(task.peak_bytes)} of memory"
    cpu = "" if task.cpu_seconds is None else f"{task.cpu_seconds:.1f} s of CPU"
    return ", ".join(text for text in (memory, cpu) if text)


def _sandbox(state: RunState, spec: TaskSpec) -> str:
    """Describe what confines the task's attempts."""
    if state.sandbox == NO_SANDBOX:
        return "none: it has all rights of your user"
    is_reader = spec.isolation is Isolation.SHARED
    own = "only reads its checkout" if is_reader else "writes its workspace"
    return f"{state.sandbox}: {own}, and what safety.writable names"


def _work(state: RunState, task: TaskState, spec: TaskSpec) -> Iterator[DetailLine]:
    if spec.writes is None:
        guessed = f", probably {', '.join(spec.predicted_writes)}" if spec.predicted_writes else ""
        yield "may write", f"not declared{guessed}"
    else:
        yield "may write", ", ".join(spec.writes) or "nothing"
    if task.files:
        yield "changed", counted(len(task.files), "file")
        yield from (("", path) for path in task.files)
    for overlap in state.overlaps_of(task.id):
        yield "overlaps", f"with {overlap.other(task.id)} in {overlap.paths[0]}"
        yield from (("", str(path)) for path in overlap.paths[1:])
    if task.drift:
        yield "drift", f"{counted(len(task.drift), 'file')} outside what it may write"
        yield from (("", path) for path in task.drift)
    for found in task.unlanded:
        yield "not landed", f"{found.listed} ({found.why})"
    if task.own_commits:
        yield "own commits", f"{task.own_commits}, kept; what lands is one commit"
    if task.work is not None:
        yield "work", short(task.work)
    if task.landed is not None:
        yield "landed", short(task.landed)


def _history(state: RunState, task: TaskState) -> Iterator[DetailLine]:
    for conflict in state.conflicts:
        if task.id in conflict.tasks:
            others = ", ".join(other for other in conflict.tasks if other != task.id)
            decision = "open" if conflict.decision is None else str(conflict.decision)
            by = f" by {conflict.resolved_by}" if conflict.resolved_by else ""
            paths = listed([file.path for file in conflict.files])
            about = f": {paths or conflict.detail}" if paths or conflict.detail else ""
            yield "conflict", f"{conflict.kind} with {others or 'nobody'}, {decision}{by}{about}"
