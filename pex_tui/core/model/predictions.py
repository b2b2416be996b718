"""Collisions that the plan foresaw, beside what then happened: how good the prediction was."""

from collections.abc import Collection, Iterator

from msgspec import Struct

from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.exclusions import pairs_to_compare
from pex_tui.core.model.globs import first_intersection, matches
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import SUCCEEDED
from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.precedence import Precedence
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState

Pair = tuple[TaskId, TaskId]
"""Two tasks, the one that stands earlier in the plan first."""


class WriteAccuracy(Struct, frozen=True):
    """What one task was expected to write (globs, declared or named in its prompt), and wrote.

    `untouched` are globs that no written file matches, `unexpected` files that no glob matches.
    """

    task: TaskId
    globs: int
    untouched: tuple[str, ...]
    files: int
    unexpected: tuple[str, ...]


class PredictionAccuracy(Struct, frozen=True):
    """The plan's predictions against what was observed.

    A pair of tasks that nothing orders was *foreseen* when the plan as it was approved let expect
    that both write the same file, or told of a collision with at least the threshold's chance,
    whether the two were then kept apart or not. A collision was *observed* when two tasks were seen
    or met colliding, or, of a pair that was foreseen or kept apart since, when both ended well and
    changed a file in common: kept apart, they had no other way to show it. Foreseen pairs of which
    one did not end well are not judged unless they collided.
    """

    predicted: tuple[Pair, ...]
    hits: tuple[Pair, ...]
    false_alarms: tuple[Pair, ...]
    missed: tuple[Pair, ...]
    writes: tuple[WriteAccuracy, ...]

    @property
    def precision(self) -> float | None:
        """Return the share of the judged predictions that were right; None without any."""
        return _share(len(self.hits), len(self.hits) + len(self.false_alarms))

    @property
    def recall(self) -> float | None:
        """Return the share of the observed collisions that were foreseen; None without any."""
        return _share(len(self.hits), len(self.hits) + len(self.missed))

    @property
    def write_precision(self) -> float | None:
        """Return the share of the expected globs that a written file matches; None without any."""
        globs = sum(one.globs for one in self.writes)
        return _share(globs - sum(len(one.untouched) for one in self.writes), globs)

    @property
    def write_recall(self) -> float | None:
        """Return the share of the written files that a glob had let expect; None without any."""
        files = sum(one.files for one in self.writes)
        return _share(files - sum(len(one.unexpected) for one in self.writes), files)


def predicted_at(state: RunState, first: TaskId, second: TaskId) -> float | None:
    """When the plan was made, if both are of it and it let expect a collision of the two."""
    if not {first, second} <= state.graph.index.keys():
        return None
    told = _is_predicted(state.planned, state.rules, state.graph, (first, second))
    return state.created_at if told else None


def predicted_pairs(plan: Plan, rules: RunRules, graph: PlanGraph) -> tuple[Pair, ...]:
    """Pairs foreseen to collide where no need orders them anyway, in plan order."""
    precedence = Precedence(graph)
    told = {_places(graph, (one.first, one.second)) for one in plan.collisions}
    return tuple(
        pair
        for first, second in sorted(told.union(pairs_to_compare(plan.tasks, rules)))
        if plan.tasks[first].enabled
        and plan.tasks[second].enabled
        and not precedence.orders(first, second)
        and _is_predicted(plan, rules, graph, pair := (plan.tasks[first].id, plan.tasks[second].id))
    )


def prediction_accuracy(
    state: RunState, collided: Collection[frozenset[TaskId]]
) -> PredictionAccuracy:
    """Judge what was foreseen by the run so far; `collided` are pairs seen or met colliding."""
    expected = predicted_pairs(state.planned, state.rules, state.graph)
    hits = {pair for pair in expected if frozenset(pair) in collided or _share_a_file(state, pair)}
    surprises = {*collided, *_replanned(state)} - {frozenset(pair) for pair in expected}
    ids = [task.id for task in state.tasks]
    missed = sorted(_places(state.graph, (one, other)) for one, other in surprises)
    return PredictionAccuracy(
        predicted=expected,
        hits=tuple(pair for pair in expected if pair in hits),
        false_alarms=tuple(
            pair for pair in expected if pair not in hits and _ended_well(state, pair)
        ),
        missed=tuple((ids[first], ids[second]) for first, second in missed),
        writes=tuple(_write_accuracies(state)),
    )


def _replanned(state: RunState) -> Iterator[frozenset[TaskId]]:
    """Pairs that were kept apart only once one of them had written more than was known of it."""
    for one in state.conflicts:
        is_late = one.kind is ConflictKind.WRITE and one.predicted_at is None
        if is_late and one.decision is Decision.SERIALISED:
            pairs = ((one.tasks[0], other) for other in one.tasks[1:])
            yield from (frozenset(pair) for pair in pairs if _share_a_file(state, pair))


def _places(graph: PlanGraph, pair: Pair) -> tuple[int, int]:
    first, second = sorted(graph.index[one] for one in pair)
    return first, second


def _is_predicted(plan: Plan, rules: RunRules, graph: PlanGraph, pair: Pair) -> bool:
    first, second = (plan.tasks[graph.index[one]] for one in pair)
    if first_intersection(_expected(first), _expected(second)):
        return True
    if first.writes is not None and second.writes is not None:
        return False  # what both declare outranks what was foreseen
    return any(
        {one.first, one.second} == set(pair) and one.chance >= rules.collision_threshold
        for one in plan.collisions
    )


def _expected(spec: TaskSpec) -> tuple[str, ...]:
    return spec.predicted_writes if spec.writes is None else spec.writes


def _ended_well(state: RunState, pair: Pair) -> bool:
    return {state.task(one).phase for one in pair} <= SUCCEEDED


def _share_a_file(state: RunState, pair: Pair) -> bool:
    left, right = (set(state.task(one).files) for one in pair)
    return _ended_well(state, pair) and not left.isdisjoint(right)


def _write_accuracies(state: RunState) -> Iterator[WriteAccuracy]:
    """Of tasks that ended well, having run; one that is to write nothing predicts nothing."""
    for spec, task in zip(state.planned.tasks, state.tasks, strict=True):
        if _expected(spec) and task.attempt and task.phase in SUCCEEDED:
            yield _write_accuracy(_expected(spec), task)


def _write_accuracy(globs: tuple[str, ...], task: TaskState) -> WriteAccuracy:
    return WriteAccuracy(
        task=task.id,
        globs=len(globs),
        untouched=tuple(
            glob for glob in globs if not any(matches(glob, path) for path in task.files)
        ),
        files=len(task.files),
        unexpected=tuple(
            path for path in task.files if not any(matches(glob, path) for glob in globs)
        ),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
