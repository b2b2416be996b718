"""Pairs of tasks that must not run at the same time, and the reasons."""

from collections.abc import Sequence

from pex_tui.core.formatting import percent
from pex_tui.core.globs.globs import Shared, first_intersection, plain_start
from pex_tui.core.model.plan import PredictedConflict, TaskSpec
from pex_tui.core.model.run_rules import RunRules

WRITERS = "@writes"
_NEVER = "never runs beside"


def pairs_to_compare(tasks: Sequence[TaskSpec], rules: RunRules) -> list[tuple[int, int]]:
    """Return the pairs of positions that a rule names or whose globs have a common start.

    No other pair can conflict, and in a large plan these are few. Pairs are ordered by their second
    position.
    """
    named = {name for pair in rules.never for name in pair if name != WRITERS}
    among_writers = (WRITERS, WRITERS) in rules.never
    exact: dict[tuple[str, ...], set[int]] = {}  # tasks with a glob of exactly this plain start
    below: dict[tuple[str, ...], set[int]] = {}  # tasks with a glob that continues after it
    found: set[tuple[int, int]] = set()
    for position, spec in enumerate(tasks):
        if spec.agent in named or (among_writers and not spec.is_read_only):
            found |= {(min(position, one), max(position, one)) for one in range(len(tasks))}
        starts = {plain_start(glob) for glob in spec.writes or spec.predicted_writes}
        for start in starts:
            prefixes = [start[:length] for length in range(len(start) + 1)]
            near = below.get(start, set()).union(*(exact.get(one, ()) for one in prefixes))
            found |= {(other, position) for other in near}
        for start in starts:
            exact.setdefault(start, set()).add(position)
            for length in range(len(start) + 1):
                below.setdefault(start[:length], set()).add(position)
    pairs = [pair for pair in found if pair[0] != pair[1]]
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))


def exclusion_reason(first: TaskSpec, second: TaskSpec, rules: RunRules) -> str | None:
    """Return why two tasks must not run in parallel, for a person; None when they may.

    Never-parallel rules always hold. A declared overlap holds unless one of the tasks names the
    other in `beside`; a predicted overlap does not count within a cluster.
    """
    never = _never_together(first, second, rules)
    if never is not None or _may_run_beside(first, second):
        return never
    if first.writes and second.writes:  # both declare their writes, so predictions do not apply
        return _declared_exclusion(first, second)
    return None if _in_one_cluster(first, second, rules) else _predicted_exclusion(first, second)


def predicted_exclusion_reason(
    predicted: PredictedConflict, first: TaskSpec, second: TaskSpec, rules: RunRules
) -> str | None:
    """Return why a predicted conflict keeps two tasks apart, for a person; None if it does not.

    Declared write sets outrank predictions.
    """
    is_declared = first.writes is not None and second.writes is not None
    if is_declared or predicted.chance < rules.collision_threshold:
        return None
    if _may_run_beside(first, second) or _in_one_cluster(first, second, rules):
        return None
    return with_chance(predicted.reason, predicted)


def with_chance(reason: str, predicted: PredictedConflict) -> str:
    """Return the reason with the predicted probability; a rule has none."""
    return reason if _NEVER in reason else f"{reason} ({percent(predicted.chance)})"


def _never_together(first: TaskSpec, second: TaskSpec, rules: RunRules) -> str | None:
    for left, right in rules.never:
        if (_is(first, left) and _is(second, right)) or (_is(second, left) and _is(first, right)):
            other = "a task that may change files" if right == WRITERS else right
            return f"{left} {_NEVER} {other}"
    return None


def _is(spec: TaskSpec, who: str) -> bool:
    return not spec.is_read_only if who == WRITERS else spec.agent == who


def _declared_exclusion(first: TaskSpec, second: TaskSpec) -> str | None:
    both = first_intersection(first.writes or (), second.writes or ())
    return None if both is None else _exclusion_text("both write", both)


def _predicted_exclusion(first: TaskSpec, second: TaskSpec) -> str | None:
    both = first_intersection(
        first.writes or first.predicted_writes, second.writes or second.predicted_writes
    )
    return None if both is None else _exclusion_text("both will probably write", both)


def _exclusion_text(claim: str, both: Shared) -> str:
    """Return the shared pattern or path, else both patterns and an example path."""
    if both.first == both.second:
        return f"{claim} {both.first}"
    if both.path in (both.first, both.second):
        pattern = both.second if both.path == both.first else both.first
        return f"{claim} {both.path} ({pattern})"
    return f"{claim} {both.first} and {both.second}, as in {both.path}"


def _may_run_beside(first: TaskSpec, second: TaskSpec) -> bool:
    return first.id in second.beside or second.id in first.beside


def _in_one_cluster(first: TaskSpec, second: TaskSpec, rules: RunRules) -> bool:
    return any(first.agent in cluster and second.agent in cluster for cluster in rules.clusters)
