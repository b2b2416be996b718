"""The cost of each conflict of a run: time waited and attempts discarded."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from pex_tui.core.model.conflict import Conflict, ConflictKind, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import StopCause, TaskState, WaitCause

_MADE_WAY = frozenset({Decision.PAUSED, Decision.SERIALISED})
_AGAIN = frozenset({Decision.RERUN})
_IN_VAIN = frozenset({Decision.RERUN, Decision.ABORTED, Decision.FAILED})


class ConflictCosts(Struct):
    """Seconds by conflict number; a conflict without a known cost has no entry."""

    seconds: dict[int, float] = field(default_factory=dict)
    _known: tuple[Conflict, ...] = ()  # the conflicts that `_of` was computed from
    _of: dict[TaskId, list[Conflict]] = field(default_factory=dict)  # by the task that gives way
    _between: dict[frozenset[str], list[Conflict]] = field(default_factory=dict)

    def book_wait(self, state: RunState, seconds: float) -> None:
        """Book an interval without state changes on the conflicts that tasks waited for.

        A task that waits for several conflicts at once divides the time among them.
        """
        if not seconds or not state.conflicts:
            return
        self._look_up(state.conflicts)
        standings = state.standings
        for position in (*standings.live, *standings.told):
            causes = self._waits_for(state.tasks[position])
            for conflict in causes:
                self._add(conflict, seconds / len(causes))

    def book_decisions(self, before: RunState, after: RunState) -> None:
        """Book attempts that a step's decisions discarded, and waits that it revealed."""
        if before.conflicts is not after.conflicts:
            for conflict in after.conflicts[len(before.conflicts) :]:
                if (
                    conflict.kind is ConflictKind.RESOURCE
                    and conflict.overlapping_at
                    and conflict.conflicting_at
                ):
                    self._add(conflict, conflict.conflicting_at - conflict.overlapping_at)
            for conflict in _newly_in_vain(before, after):
                self._add(conflict, _attempt_seconds(before.task(conflict.tasks[0])))
        for task in _made_way(before, after):
            self._look_up(after.conflicts)
            for conflict in self._last(task.id, _MADE_WAY):
                self._add(conflict, _attempt_seconds(task))

    def _waits_for(self, task: TaskState) -> list[Conflict]:
        """Return the conflicts that the task is paused for."""
        mine = self._of.get(task.id, [])
        match task.phase:
            case Phase.CONFLICT:
                return [one for one in mine if one.is_open]
            case Phase.PAUSED if task.yields_to is not None:
                return self._with(task.id, (task.yields_to,))
            case Phase.PAUSED if task.squeezed:
                return self._of_memory(task.id)
            case Phase.BACKOFF if task.failure is None:
                return self._last(task.id, _AGAIN)
            case Phase.READY if task.wait is not None:
                if task.wait.cause is WaitCause.EXCLUDED:
                    return self._with(task.id, task.wait.on)
                if task.wait.cause is WaitCause.RESOURCE:
                    return [one for one in mine if one.kind is ConflictKind.RESOURCE][-1:]
                if task.wait.cause is WaitCause.MEMORY:
                    return self._of_memory(task.id)
        return []

    def _with(self, task: TaskId, others: Iterable[str]) -> list[Conflict]:
        """Return the task's latest conflict with each of the others."""
        pairs = (self._between.get(frozenset({task, other}), ()) for other in others)
        found = {one.number: one for pair in pairs for one in pair[-1:]}
        return list(found.values())

    def _of_memory(self, task: TaskId) -> list[Conflict]:
        """Return the task's latest conflict over memory, if any."""
        return [one for one in self._of.get(task, ()) if one.kind is ConflictKind.MEMORY][-1:]

    def _last(self, task: TaskId, decisions: frozenset[Decision]) -> list[Conflict]:
        """Return the latest conflict in which the task gave way by one of the decisions, if any."""
        return [one for one in self._of.get(task, ()) if one.decision in decisions][-1:]

    def _look_up(self, conflicts: tuple[Conflict, ...]) -> None:
        if conflicts is self._known:
            return
        of, between = defaultdict(list), defaultdict(list)
        for conflict in conflicts:
            of[conflict.tasks[0]].append(conflict)
            if conflict.kind is ConflictKind.WRITE:
                for other in conflict.tasks[1:]:
                    between[frozenset({str(conflict.tasks[0]), str(other)})].append(conflict)
        self._known, self._of, self._between = conflicts, of, between

    def _add(self, conflict: Conflict, seconds: float) -> None:
        self.seconds[conflict.number] = self.seconds.get(conflict.number, 0.0) + seconds


def _newly_in_vain(before: RunState, after: RunState) -> Iterator[Conflict]:
    """Yield the conflicts for which a task's attempt was just discarded."""
    known = {conflict.number: conflict for conflict in before.conflicts}
    for conflict in after.conflicts:
        was = known.get(conflict.number)
        is_news = was is None or was.conflicting_at is None or was.is_open
        is_conflicting = (
            conflict.conflicting_at is not None and conflict.kind is not ConflictKind.RESOURCE
        )
        is_in_vain = is_news and is_conflicting and conflict.decision in _IN_VAIN
        if is_in_vain and after.task(conflict.tasks[0]).seed is None:
            yield conflict


def _made_way(before: RunState, after: RunState) -> Iterator[TaskState]:
    """Yield the former states of tasks whose attempt was ended for another task and discarded."""
    for position in after.standings.touched:
        old, new = before.tasks[position], after.tasks[position]
        is_over = old.phase is Phase.CAPTURING and new.phase is not Phase.CAPTURING
        if is_over and old.stop is StopCause.YIELD and new.seed is None:
            yield old


def _attempt_seconds(task: TaskState) -> float:
    """Return how long the attempt worked, in seconds; 0 if it had no process."""
    if task.started_at is None or task.exited_at is None:
        return 0.0
    return max(0.0, task.exited_at - task.started_at - task.paused_seconds)
