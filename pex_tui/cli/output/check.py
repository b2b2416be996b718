"""Output of `pex-tui check`: a plan's shape, duration, waits and problems.

This module imports networkx, which is slow: import it only for that command.
"""

import textwrap
from collections.abc import Iterable, Iterator

from pex_tui.core.formatting import clock, counted
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan, Strategy
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.sandbox import sandbox_words
from pex_tui.core.sanitize import clean
from pex_tui.planning.plan_file.predictable_tasks import LITTLE_HISTORY
from pex_tui.planning.plan_file.warnings import PlanWarning, plan_warnings
from pex_tui.planning.scheduling.expected_waits import exclusions, turns
from pex_tui.planning.scheduling.graph_shape import PlanShape, plan_shape
from pex_tui.planning.scheduling.schedule import Schedule, schedule_plan, what_if

WIDTH = 100
WHAT_IF_SLOTS = range(3, 11)
_MOST_TURNS = 20
_MOST_WARNINGS = 30


def render_check(
    plan: Plan,
    graph: PlanGraph,
    rules: RunRules,
    *,
    slots: int | None = None,
    notices: Iterable[str] = (),
    sandbox: str = "",
) -> str:
    """Render the whole text, at most 100 columns wide, ending in a newline.

    `slots` are those of the command line; `notices` are printed with the plan's warnings, `sandbox`
    is the tier that confines tasks.
    """
    schedule = schedule_plan(plan, graph, rules, slots)
    shape = plan_shape(plan, graph)
    options = what_if(plan, graph, rules, WHAT_IF_SLOTS)
    parts = (
        _headline(plan, shape, schedule),
        _figures(plan, schedule, options),
        _waves(shape),
        _critical_path(plan, shape),
        (*_turns(plan, graph, schedule), *_basis(plan), *_sandbox(sandbox)),
        _warnings(plan_warnings(plan, graph, rules), tuple(notices)),
    )
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def _headline(plan: Plan, shape: PlanShape, schedule: Schedule) -> Iterator[str]:
    if plan.goal.strip():
        yield from _wrapped(plan.goal)
    yield " · ".join(
        (
            counted(len(plan.tasks), "task"),
            counted(len(shape.waves), "wave"),
            f"width {shape.width}",
            counted(schedule.slots, "slot"),
            f"strategy {plan.strategy.value}",
        )
    )


def _figures(plan: Plan, schedule: Schedule, options: tuple[Schedule, ...]) -> Iterator[str]:
    one_by_one = plan.strategy is Strategy.SEQUENTIAL
    with_slots = "one task at a time" if one_by_one else f"with {counted(schedule.slots, 'slot')}"
    yield f"Estimate   {_expected(schedule)} {with_slots}{_without_gate(plan)}"
    yield (
        f"Serial     {clock(schedule.serial_seconds)} one task at a time, "
        f"{schedule.speedup:.1f} times the estimate"
    )
    yield (
        f"Bound      {clock(schedule.lower_bound_seconds)}: no order is shorter "
        f"(critical path {clock(schedule.critical_seconds)})"
    )
    if not one_by_one:
        yield from _wrapped(f"What if    {_options(options)}", indent=11)


def _expected(schedule: Schedule) -> str:
    """Return the estimate, and the range of eight in ten runs if that is wider."""
    low, high = clock(schedule.low_seconds), clock(schedule.high_seconds)
    shown = clock(schedule.makespan_seconds)
    return shown if low == high else f"{shown} ({low} to {high})"


def _without_gate(plan: Plan) -> str:
    is_unknown = plan.verify and plan.pace.gate_seconds is None
    return ", without the gate, which has not run yet" if is_unknown else ""


def _options(options: tuple[Schedule, ...]) -> str:
    """Return the estimate for each number of slots, up to the point where more do not help."""
    best = options[-1].makespan_seconds
    helpful = next(place for place, each in enumerate(options) if each.makespan_seconds <= best)
    shown = " · ".join(
        f"{clock(each.makespan_seconds)} with {each.slots}" for each in options[: helpful + 1]
    )
    return shown if helpful + 1 == len(options) else f"{shown} slots; more would not help"


def _waves(shape: PlanShape) -> Iterator[str]:
    yield "Waves"
    digits = len(str(len(shape.waves)))
    for number, wave in enumerate(shape.waves, start=1):
        yield from _wrapped(f"  {number:>{digits}}  {'  '.join(wave)}", indent=4 + digits)


def _critical_path(plan: Plan, shape: PlanShape) -> Iterator[str]:
    seconds: dict[TaskId, float] = {spec.id: spec.estimate_seconds for spec in plan.tasks}
    yield f"Critical path, {clock(shape.critical_seconds)}"
    steps = " → ".join(f"{task} {clock(seconds[task])}" for task in shape.critical_path)
    yield from _wrapped(f"  {steps}", indent=2)


def _turns(plan: Plan, graph: PlanGraph, schedule: Schedule) -> Iterator[str]:
    if plan.strategy is Strategy.SEQUENTIAL:
        yield "Serialized: everything, by the strategy"
        return
    pairs = exclusions(plan, graph)
    if not pairs:
        yield "Serialized: nothing; no two unordered tasks share files or locks"
        return
    waits = turns(plan, pairs, schedule)
    yield f"Serialized: {counted(len(pairs), 'pair')} of tasks that must not run in parallel"
    for turn in waits[:_MOST_TURNS]:
        yield from _wrapped(f"  {turn.waits} waits for {turn.on}: {turn.reason}", indent=4)
    if len(waits) > _MOST_TURNS:
        yield f"  and {len(waits) - _MOST_TURNS} more"


def _basis(plan: Plan) -> Iterator[str]:
    """Yield how much of the repository's history the predictions are based on."""
    if plan.past_changes is not None:
        changes = f"{plan.past_changes:,} past change{'' if plan.past_changes == 1 else 's'}"
        doubt = ": uncertain" if plan.past_changes < LITTLE_HISTORY else ""
        yield f"Predicted from {changes}{doubt}"


def _sandbox(tier: str) -> Iterator[str]:
    if tier:
        yield f"Sandbox    tasks run {sandbox_words(tier)}"


def _warnings(found: tuple[PlanWarning, ...], notices: tuple[str, ...]) -> Iterator[str]:
    count = len(found) + len(notices)
    if not count:
        yield "Warnings: none"
        return
    yield f"Warnings: {count}"
    for notice in notices:
        yield from _wrapped(f"  ! {notice}", indent=4)
    for warning in found[:_MOST_WARNINGS]:
        yield from _wrapped(f"  ! {warning.text}.", indent=4)
        yield from _wrapped(f"    {warning.remedy}", indent=4)
    if len(found) > _MOST_WARNINGS:
        yield f"  and {len(found) - _MOST_WARNINGS} more"


def _wrapped(text: str, *, indent: int = 0) -> list[str]:
    """Wrap the text at 100 columns, cleaned for a terminal."""
    return textwrap.wrap(clean(text), WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)
