"""Warnings about legal but perhaps unintended parts of a plan, each with a remedy."""

from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from pex_tui.core.formatting import clock, counted, percent
from pex_tui.core.globs.globs import first_intersection
from pex_tui.core.model.argument_limits import PROMPT, PROMPT_FILE, fits_a_variable
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.precedence import Precedence
from pex_tui.core.model.run_rules import RunRules
from pex_tui.planning.agent_definitions.definition_file import TOOLS_THAT_WRITE
from pex_tui.planning.plan_file.predictable_tasks import LITTLE_HISTORY, MOST_TASKS, is_predictable
from pex_tui.planning.scheduling.expected_waits import exclusions

_MOST_NAMED = 5
_MOST_STALE_READS = 10
_MOST_RISKED = 5
_MOST_UNMATCHED = 8


class PlanWarning(Struct, frozen=True):
    """A warning before the start, and the tasks it concerns."""

    text: str
    remedy: str
    tasks: tuple[TaskId, ...] = ()


def plan_warnings(plan: Plan, graph: PlanGraph, rules: RunRules) -> tuple[PlanWarning, ...]:
    """Return all warnings, those about the whole plan first."""
    active = tuple(spec for spec in plan.tasks if spec.enabled)
    return (
        *_without_gate(plan, active),
        *_dropped_needs(plan),
        *_unknown_writes(active),
        *_unmatched_globs(plan, active),
        *_predicted_writes(active),
        *_writers_without_a_tool(active),
        *_exclusions(plan, graph),
        *_predicted_conflicts(plan, graph),
        *_little_history(plan),
        *_too_many_to_predict(active),
        *_stale_reads(plan, graph),
        *_long_prompts(active),
        *_short_timeouts(active),
        *_too_many_slots(plan, active, rules),
        *_switched_off(plan),
    )


def risks(plan: Plan, graph: PlanGraph) -> tuple[str, ...]:
    """Return for each task, in a word or two, its risk from tasks that run in parallel."""
    excluded = {
        position for pair in exclusions(plan, graph) for position in (pair.first, pair.second)
    }
    return tuple(
        _risk(spec, is_excluded=position in excluded) for position, spec in enumerate(plan.tasks)
    )


def _risk(spec: TaskSpec, *, is_excluded: bool) -> str:
    if not spec.enabled:
        return "off"
    if spec.is_read_only:
        return "none"
    if spec.writes is None and not spec.predicted_writes:
        return "unknown"
    if is_excluded:
        return "serialized"
    return "guessed" if spec.writes is None else "none"


def named(ids: tuple[TaskId, ...]) -> str:
    """Return the first few ids, and the number of further ones."""
    more = len(ids) - _MOST_NAMED
    shown = [str(task) for task in ids[:_MOST_NAMED]]
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def _without_gate(plan: Plan, active: tuple[TaskSpec, ...]) -> Iterator[PlanWarning]:
    writers = tuple(spec.id for spec in active if not spec.is_read_only)
    if writers and not plan.verify:
        yield PlanWarning(
            "the plan has no gate: what lands is merged, and not tested",
            'Add verify: [["pytest", "-q"]], or whatever tests this project.',
            writers,
        )


def _dropped_needs(plan: Plan) -> Iterator[PlanWarning]:
    for task, need in plan.dropped_needs:
        yield PlanWarning(
            f"the need of {task} for {need} was dropped to break a cycle",
            "Take it out of the plan, or turn another need of the cycle round.",
            (task, need),
        )


def _unknown_writes(active: tuple[TaskSpec, ...]) -> Iterator[PlanWarning]:
    ids = tuple(spec.id for spec in active if spec.writes is None and not spec.predicted_writes)
    if ids:
        verb = "does not say" if len(ids) == 1 else "do not say"
        yield PlanWarning(
            f"{named(ids)} {verb} what may be written; an overlap would show only at landing",
            "Declare writes: with globs, or writes: [] for a task that only reads.",
            ids,
        )


def _unmatched_globs(plan: Plan, active: tuple[TaskSpec, ...]) -> Iterator[PlanWarning]:
    ids = {spec.id for spec in active}
    told = [one for one in plan.unmatched if one.task in ids]
    for one in told[:_MOST_UNMATCHED]:
        guess = f"Did you mean {one.meant}? " if one.meant else ""
        yield PlanWarning(
            f"{one.task} is to write {one.glob}, which matches nothing in the repository",
            f"{guess}Nothing to do if the task is to make it.",
            (one.task,),
        )
    if len(told) > _MOST_UNMATCHED:
        yield PlanWarning(
            f"{counted(len(told) - _MOST_UNMATCHED, 'more glob')} in writes: match nothing either",
            "Nothing to do if the tasks are to make what they name.",
            tuple(dict.fromkeys(one.task for one in told[_MOST_UNMATCHED:])),
        )


def _predicted_writes(active: tuple[TaskSpec, ...]) -> Iterator[PlanWarning]:
    for spec in active:
        if spec.writes is None and spec.predicted_writes:
            yield PlanWarning(
                f"{spec.id} does not say what it writes; its prompt names "
                f"{', '.join(spec.predicted_writes)}",
                "Declare writes: if that is wrong.",
                (spec.id,),
            )


def lacks_a_tool(spec: TaskSpec) -> bool:
    """Return whether the task is to write files and its agent has no tool that does."""
    tools = spec.brief.tools if spec.brief else None
    return bool(spec.writes) and tools is not None and not TOOLS_THAT_WRITE.intersection(tools)


def _writers_without_a_tool(active: tuple[TaskSpec, ...]) -> Iterator[PlanWarning]:
    for spec in active:
        if lacks_a_tool(spec):
            yield PlanWarning(
                f"{spec.id} is to write {', '.join(spec.writes or ())}, and its agent "
                f"{spec.agent} has no tool that writes",
                "Choose an agent that writes, or declare writes: [] and expects: none.",
                (spec.id,),
            )


def _exclusions(plan: Plan, graph: PlanGraph) -> Iterator[PlanWarning]:
    """Yield one warning per reason, however many tasks share it."""
    groups: dict[str, dict[int, None]] = {}
    for pair in exclusions(plan, graph):
        groups.setdefault(pair.reason, {}).update({pair.first: None, pair.second: None})
    for reason, positions in groups.items():
        ids = tuple(plan.tasks[position].id for position in sorted(positions))
        yield PlanWarning(
            f"{named(ids)} are serialized: {reason}",
            "Nothing to do; for more speed, split what they share, or name one in beside: of the "
            "other.",
            ids,
        )


def _predicted_conflicts(plan: Plan, graph: PlanGraph) -> Iterator[PlanWarning]:
    """Yield the predicted conflicts that are risked: too improbable, or allowed by the plan."""
    enabled = {spec.id for spec in plan.tasks if spec.enabled}
    precedence = Precedence(graph)
    risked = [
        pair
        for pair in plan.collisions
        if {pair.first, pair.second} <= enabled
        and graph.index[pair.second] not in graph.excluded[graph.index[pair.first]]
        and not precedence.orders(graph.index[pair.first], graph.index[pair.second])
    ]
    for pair in risked[:_MOST_RISKED]:
        yield PlanWarning(
            f"{pair.first} and {pair.second} may conflict ({percent(pair.chance)}): {pair.reason}",
            f"They run in parallel anyway; add needs: [{pair.first}] to {pair.second} to be sure.",
            (pair.first, pair.second),
        )
    more = len(risked) - _MOST_RISKED
    if more > 0:
        yield PlanWarning(
            f"{counted(more, 'more pair')} may conflict, less probably",
            "Nothing to do; lower conflict_resolution.threshold to keep them apart.",
        )


def _little_history(plan: Plan) -> Iterator[PlanWarning]:
    changes = plan.past_changes
    if changes is None or changes >= LITTLE_HISTORY:
        return
    known = (
        f"conflicts are predicted from {counted(changes, 'past change')} only, which is uncertain"
        if changes > 1
        else "there is no history to predict conflicts from: only declared writes and names in "
        "prompts count"
    )
    yield PlanWarning(known, "Declare writes: with globs; what these share is kept apart for sure.")


def _too_many_to_predict(active: tuple[TaskSpec, ...]) -> Iterator[PlanWarning]:
    if len(told := [spec for spec in active if is_predictable(spec)]) > MOST_TASKS:
        yield PlanWarning(
            f"{len(told)} tasks have a prompt; conflicts are predicted for at most {MOST_TASKS}",
            "Declare writes: with globs; what these share is kept apart in any plan.",
        )


def _stale_reads(plan: Plan, graph: PlanGraph) -> Iterator[PlanWarning]:
    return islice(_each_stale_read(plan, Precedence(graph)), _MOST_STALE_READS)


def _each_stale_read(plan: Plan, precedence: Precedence) -> Iterator[PlanWarning]:
    active = [(position, spec) for position, spec in enumerate(plan.tasks) if spec.enabled]
    writers = [(position, spec) for position, spec in active if spec.writes]
    for reader, spec in active:
        for writer, other in writers if spec.reads else ():
            met = None if reader == writer else first_intersection(spec.reads, other.writes or ())
            if met is not None and not precedence.orders(reader, writer):
                yield PlanWarning(
                    f"{spec.id} reads {met[0]}, which {other.id} may change at the same time",
                    f"Add needs: [{other.id}] to {spec.id} if it has to see that.",
                    (spec.id, other.id),
                )


def _long_prompts(active: tuple[TaskSpec, ...]) -> Iterator[PlanWarning]:
    for spec in active:
        if spec.brief is None and not fits_a_variable(spec.prompt):
            yield PlanWarning(
                f"the prompt of {spec.id} is longer than a variable can be: ${PROMPT} holds its "
                "beginning.",
                f"Let its command read the file ${PROMPT_FILE}, which holds all of it.",
                (spec.id,),
            )


def _short_timeouts(active: tuple[TaskSpec, ...]) -> Iterator[PlanWarning]:
    for spec in active:
        limit = spec.timeout_seconds
        if limit is not None and limit < spec.estimate_seconds:
            yield PlanWarning(
                f"{spec.id} is stopped after {clock(limit)} and is expected to take "
                f"{clock(spec.estimate_seconds)}",
                "Raise its timeout, or fix its estimate.",
                (spec.id,),
            )


def _too_many_slots(
    plan: Plan, active: tuple[TaskSpec, ...], rules: RunRules
) -> Iterator[PlanWarning]:
    slots = plan.slots or rules.slots
    if 1 < len(active) < slots:
        yield PlanWarning(
            f"{counted(len(active), 'task')} can't fill {slots} slots",
            "Nothing to do; the other slots stay empty.",
        )


def _switched_off(plan: Plan) -> Iterator[PlanWarning]:
    ids = tuple(spec.id for spec in plan.tasks if not spec.enabled)
    if ids:
        verb = "is" if len(ids) == 1 else "are"
        yield PlanWarning(
            f"{named(ids)} {verb} disabled; dependents will not wait for them",
            "Drop enabled: false to run them.",
            ids,
        )
