"""Parser of plan files."""

from msgspec.structs import replace

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.planning.fields.problems import PlanError
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.references import check_references
from pex_tui.planning.plan_file.task_fields import PlanFields, TaskFields, read_fields
from pex_tui.planning.plan_file.task_resolver import check_program, resolve_task
from pex_tui.planning.plan_file.unmatched_globs import unmatched_globs


def parse_plan(text: str, name: str, context: PlanContext) -> Plan:
    """Parse a plan in YAML or JSON; `name` is used in messages ("plan.yaml").

    Raises PlanError with every problem and its line.
    """
    draft = read_fields(text)
    dropped = check_references(draft, break_cycles=context.break_cycles)
    _check_gate(draft, context)
    specs = [
        resolve_task(draft, task, context, _needs(task, frozenset(dropped))) for task in draft.tasks
    ]
    if draft.problems:
        raise PlanError(name, tuple(draft.problems))
    head, known = draft.head, context.experience
    tasks = tuple(spec for spec in specs if spec is not None)
    return Plan(
        tasks=tasks,
        goal=head.goal,
        base=head.base,
        slots=head.slots,
        strategy=head.strategy,
        verify=head.verify,
        gate=head.gate,
        dropped_needs=dropped,
        unmatched=unmatched_globs(tasks, context),
        folder=head.dir if head.dir is not None else context.folder,
        pace=replace(known.pace, gate_seconds=known.gate_seconds(head.verify)),
    )


def _check_gate(draft: PlanFields, context: PlanContext) -> None:
    for place, argv in enumerate(draft.head.verify):
        line = draft.document.line_of(("verify", place))
        check_program(draft, "verify", line, argv, context)


def _needs(task: TaskFields, dropped: frozenset[tuple[TaskId, TaskId]]) -> tuple[TaskId, ...]:
    """Return the task's needs, each once, without those dropped to break a cycle."""
    wanted = dict.fromkeys(TaskId(need) for need, _ in task.needs)
    return tuple(need for need in wanted if (task.id, need) not in dropped)
