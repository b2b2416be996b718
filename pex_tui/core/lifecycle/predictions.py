"""Predicted conflicts compared with observed ones: the accuracy of the prediction."""

from collections.abc import Collection, Iterator

from msgspec import Struct

from pex_tui.core.globs.globs import first_intersection, matches
from pex_tui.core.model.conflict import ConflictKind, Decision
from pex_tui.core.model.exclusions import pairs_to_compare
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import SUCCEEDED
from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.precedence import Precedence
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState

Pair = tuple[TaskId, TaskId]
"""Two tasks, the one earlier in the plan first."""


class WriteAccuracy(Struct, frozen=True):
    """The predicted write set of a task (globs, declared or from its prompt) and the actual one.

    `untouched` are globs that match no written file, `unexpected` files that match no glob.
    """

    task: TaskId
    globs: int
    untouched: tuple[str, ...]
    files: int
    unexpected: tuple[str, ...]


class PredictionAccuracy(Struct, frozen=True):
    """The plan's predictions compared with what was observed.

    Only pairs of tasks that no need orders count. A pair is *predicted* when the approved plan lets
    both write the same file, or predicts a conflict with at least the threshold's probability,
    whether or not the two were then kept apart. A conflict is *observed* when two tasks overlapped
    or conflicted. A pair that was kept apart cannot conflict, so for such a pair it is observed
    when both succeeded and changed a common file. A predicted pair without a conflict is not judged
    unless both succeeded.
    """

    predicted: tuple[Pair, ...]
    hits: tuple[Pair, ...]
    false_alarms: tuple[Pair, ...]
    missed: tuple[Pair, ...]
    writes: tuple[WriteAccuracy, ...]

    @property
    def precision(self) -> float | None:
        """Return the share of judged predictions that were right; None without any."""
        return _share(len(self.hits), len(self.hits) + len(self.false_alarms))

    @property
    def recall(self) -> float | None:
        """Return the share of observed conflicts that were predicted; None without any."""
        return _share(len(self.hits), len(self.hits) + len(self.missed))

    @property
    def write_precision(self) -> float | None:
        """Return the share of predicted globs that match a written file; None without any."""
        globs = sum(one.globs for one in self.writes)
        return _share(globs - sum(len(one.untouched) for one in self.writes), globs)

    @property
    def write_recall(self) -> float | None:
        """Return the share of written files that match a predicted glob; None without any."""
        files = sum(one.files for one in self.writes)
        return _share(files - sum(len(one.unexpected) for one in self.writes), files)


def predicted_at(state: RunState, first: TaskId, second: TaskId) -> float | None:
    """Return the plan's creation time if the plan predicted a conflict of the two, else None."""
    if not {first, second} <= state.graph.index.keys():
        return None
    told = _is_predicted(state.planned, state.rules, state.graph, (first, second))
    return state.created_at if told else None


def predicted_pairs(plan: Plan, rules: RunRules, graph: PlanGraph) -> tuple[Pair, ...]:
    """Return the pairs predicted to conflict that no need orders, in plan order."""
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
    state: RunState, observed: Collection[frozenset[TaskId]]
) -> PredictionAccuracy:
    """Compare the predictions with the run so far; `observed` are the pairs that conflicted."""
    expected = predicted_pairs(state.planned, state.rules, state.graph)
    hits = {pair for pair in expected if frozenset(pair) in observed or _share_a_file(state, pair)}
    surprises = {*observed, *_replanned(state)} - {frozenset(pair) for pair in expected}
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
    """Yield the pairs kept apart only after one task had written outside its known write set."""
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
        return False  # declared write sets outrank predictions
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
    """Yield the forecasts of tasks that ran and succeeded; an empty write set predicts nothing."""
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
