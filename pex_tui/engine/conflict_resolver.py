"""Reading and resolving a run's open conflicts for a person at a screen."""

from collections.abc import Mapping

from pex_tui.core.events.run_events import ConflictDecided
from pex_tui.core.model.conflict import Conflict, ConflictKind, Decision
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.phases import Phase
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.ports import GateResult, Lander, LandingError

_WITHOUT_A_RESULT = frozenset({Decision.RERUN, Decision.ABORTED})


class ConflictResolver:
    """Reads the sides of a conflict and makes the commit that resolves it; moves no branch.

    Work that landed since the conflict was met is included up to the moment when a person looks at
    it, so that the result does not conflict again at once.
    """

    def __init__(self, lander: Lander, actor: str) -> None:
        self._lander = lander
        self._actor = actor
        self._shown: dict[int, CommitId] = {}  # the tip that a person saw, by conflict number

    async def sides(self, state: RunState, task: TaskId) -> tuple[ConflictSides, ...]:
        """Return the paths of the task's open conflict; raise LandingError."""
        entry, conflict, work = _open(state, task)
        found: tuple[ConflictSides, ...] = ()
        for tip in dict.fromkeys((state.tip, conflict.tip, state.base)):
            if tip is not None and not found:
                self._shown[conflict.number] = tip
                resolved = entry.work if entry.own_work is not None else None
                found = await self._lander.sides(
                    _key(state, entry), work, tip, resolved, _protected(conflict)
                )
        return found

    async def decide(
        self,
        state: RunState,
        task: TaskId,
        decision: Decision,
        contents: Mapping[str, bytes | None],
    ) -> ConflictDecided:
        """Return the event that puts the task back in the queue; raise LandingError."""
        entry, conflict, work = _open(state, task)
        tip = self._tip(state, conflict)
        resolved = None
        if decision not in _WITHOUT_A_RESULT:
            resolved = await self._lander.resolve(
                _key(state, entry),
                state.spec(task),
                work,
                tip,
                decision,
                dict(contents),
                _protected(conflict),
            )
        return ConflictDecided(task, decision, resolved, self._actor)

    async def check(
        self, state: RunState, task: TaskId, contents: Mapping[str, bytes | None]
    ) -> GateResult:
        """Run the gate on a result without deciding the conflict. Raise LandingError."""
        entry, conflict, work = _open(state, task)
        key, tip = _key(state, entry), self._tip(state, conflict)
        result = await self._lander.resolve(
            key,
            state.spec(task),
            work,
            tip,
            Decision.EDITED,
            dict(contents),
            _protected(conflict),
        )
        return await self._lander.gate(key, result)

    def _tip(self, state: RunState, conflict: Conflict) -> CommitId:
        """Return the tip to resolve against: the one that a person saw, else the newest."""
        return self._shown.get(conflict.number) or state.tip or conflict.tip or state.base


def _protected(conflict: Conflict) -> tuple[str, ...]:
    """Return the paths that merge but need a person's approval."""
    return tuple(file.path for file in conflict.files if file.kind == ConflictKind.PROTECTED)


def _key(state: RunState, entry: TaskState) -> AttemptKey:
    return AttemptKey(state.run, entry.id, entry.attempt)


def _open(state: RunState, task: TaskId) -> tuple[TaskState, Conflict, CommitId]:
    entry = state.task(task)
    conflict = _newest(state, task)
    if entry.phase is not Phase.CONFLICT or conflict is None or entry.work is None:
        raise LandingError(f"task {task} has no open conflict any more")
    return entry, conflict, entry.own_work or entry.work


def _newest(state: RunState, task: TaskId) -> Conflict | None:
    mine = [conflict for conflict in state.open_conflicts if conflict.tasks[0] == task]
    return mine[-1] if mine else None
