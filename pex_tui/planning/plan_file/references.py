"""Checks between a plan's tasks: ids, needs, cycles and stages."""

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Priority, Strategy
from pex_tui.planning.fields.validation_text import nearest
from pex_tui.planning.plan_file.task_fields import PlanFields, TaskFields

Edge = tuple[str, str]  # a task, and one of its needs

_MOST_CYCLES_TOLD = 20
_MOST_TASKS_TOLD = 8
_URGENCY = {priority: rank for rank, priority in enumerate(reversed(Priority))}


def check_references(draft: PlanFields, *, break_cycles: bool) -> tuple[tuple[TaskId, TaskId], ...]:
    """Record inconsistencies; return the needs (task, need) dropped to break cycles."""
    _check_ids(draft)
    _check_needs(draft)
    _check_beside(draft)
    _check_stages(draft)
    dropped = _cycles(draft, break_cycles=break_cycles)
    return tuple((TaskId(task), TaskId(need)) for task, need in dropped) if break_cycles else ()


def _check_ids(draft: PlanFields) -> None:
    first: dict[str, TaskFields] = {}
    for task in draft.tasks:
        if task.id is None:
            continue
        if task.id in first:
            line = draft.document.line_of(("tasks", task.position, "id"))
            draft.complain(
                line,
                f'the id "{task.id}" is taken by the task in line {first[task.id].line}. '
                "Choose another.",
            )
        first.setdefault(task.id, task)


def _check_needs(draft: PlanFields) -> None:
    known = [task.id for task in draft.tasks if task.id is not None]
    known_set = set(known)
    for task in draft.tasks:
        for need, line in task.needs:
            if need == task.id:
                draft.complain(line, f"{task.label} needs itself. Drop that need.")
            elif need not in known_set:
                guess = nearest(need, known)
                remedy = guess or "Add it, or drop the need."
                draft.complain(
                    line, f'{task.label} needs "{need}", which is not in the plan. {remedy}'
                )


def _check_beside(draft: PlanFields) -> None:
    known = {task.id for task in draft.tasks}
    for task in draft.tasks:
        for place, other in enumerate(task.fields.beside if task.fields else ()):
            line = draft.document.line_of(("tasks", task.position, "beside", place))
            if other == task.id:
                draft.complain(line, f"{task.label} is to run beside itself. Drop that entry.")
            elif other not in known:
                guess = nearest(other, [name for name in known if name is not None])
                draft.complain(
                    line,
                    f'{task.label} may run beside "{other}", which is not in the plan. '
                    f"{guess or 'Add it, or drop the entry.'}",
                )


def _check_stages(draft: PlanFields) -> None:
    staged = draft.head.strategy is Strategy.STAGES
    if "strategy" in draft.broken:
        return
    stages: dict[str | None, int] = {}
    for task in draft.tasks:
        if task.fields is None or "stage" in task.broken:
            continue
        stages[task.id] = task.fields.stage or 1
        if task.fields.stage is not None and not staged:
            line = draft.document.line_of(("tasks", task.position, "stage"))
            draft.complain(
                line,
                f"{task.label} has a stage, and the plan's strategy is "
                f"{draft.head.strategy.value}. Write strategy: stages, or drop the stage.",
            )
    if staged:
        _check_stage_order(draft, stages)


def _check_stage_order(draft: PlanFields, stages: dict[str | None, int]) -> None:
    for task in draft.tasks:
        own = stages.get(task.id)
        for need, line in task.needs:
            other = stages.get(need)
            if own is not None and other is not None and other > own:
                draft.complain(
                    line,
                    f'{task.label} is in stage {own} and needs "{need}" of stage {other}, which '
                    "starts later. Move one of them, or drop the need.",
                )


def _cycles(draft: PlanFields, *, break_cycles: bool) -> list[Edge]:
    """Return the weakest edge of each cycle; a cycle is an error unless it may be broken."""
    lines = _edge_lines(draft)
    if _is_acyclic(list(lines)):
        return []
    from pex_tui.planning.scheduling.graph_shape import cycles  # noqa: PLC0415 - networkx is slow to import

    weights = _weights(draft)
    dropped = []
    for told, found in enumerate(cycles(list(lines), weights)):
        dropped.append(found.weakest)
        if not break_cycles and told < _MOST_CYCLES_TOLD:
            draft.complain(lines[found.weakest], _cycle_text(found.tasks, found.weakest))
        elif not break_cycles:
            break
    return dropped


def _edge_lines(draft: PlanFields) -> dict[Edge, int]:
    """Return each need between two different tasks of the plan, in file order, with its line."""
    known = {task.id for task in draft.tasks}
    lines: dict[Edge, int] = {}
    for task in draft.tasks:
        for need, line in task.needs:
            if task.id is not None and need in known and need != task.id:
                lines.setdefault((task.id, need), line)
    return lines


def _weights(draft: PlanFields) -> dict[str, int]:
    """Return the weight of each task's needs: its urgency."""
    return {
        task.id: _URGENCY[task.fields.priority if task.fields else Priority.NORMAL]
        for task in draft.tasks
        if task.id is not None
    }


def _is_acyclic(edges: list[Edge]) -> bool:
    waiting: dict[str, int] = {}
    dependents: dict[str, list[str]] = {}
    for task, need in edges:
        waiting[task] = waiting.get(task, 0) + 1
        waiting.setdefault(need, 0)
        dependents.setdefault(need, []).append(task)
    free = [task for task, count in waiting.items() if count == 0]
    sorted_out = 0
    while free:
        sorted_out += 1
        for task in dependents.get(free.pop(), ()):
            waiting[task] -= 1
            if waiting[task] == 0:
                free.append(task)
    return sorted_out == len(waiting)


def _cycle_text(tasks: tuple[str, ...], weakest: Edge) -> str:
    shown = [f'"{task}"' for task in tasks[:_MOST_TASKS_TOLD]]
    more = len(tasks) - _MOST_TASKS_TOLD
    middle = [f"{more} more"] if more > 0 else []
    circle = " needs ".join([*shown, *middle, f'"{tasks[0]}"'])
    task, need = weakest
    return (
        f'these tasks wait for each other: {circle}. Drop the need of "{task}" for "{need}", '
        "or run with --set conflict_resolution.break_cycles=true."
    )
