"""A mutable draft of the next state during one step."""

from typing import Any

from msgspec.structs import replace

from pex_tui.core.events.actions import Action
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import LEGAL, TERMINAL, Phase
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.standings import Standings
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import TaskState


class IllegalTransition(Exception):  # noqa: N818  # the field's name for it
    """An event requires a transition that the table of phases forbids; nothing has changed."""


class Draft:
    """Collects the changes of one step; the original state is never modified."""

    def __init__(self, state: RunState, now: float) -> None:
        self._state = state
        self._tasks: list[TaskState] | None = None
        self._standings = state.standings
        self._touched: set[int] = set()
        self._run: dict[str, Any] = {}
        self.now = now
        self.actions: list[Action] = []
        self.changed: list[TaskId] = []  # tasks whose dependents have to be checked

    @property
    def state(self) -> RunState:
        """Return the state with all changes so far."""
        if self._tasks is not None or self._run:
            tasks = self._state.tasks if self._tasks is None else tuple(self._tasks)
            kept = self._standings
            if "graph" in self._run:
                kept = Standings.build(self._run["plan"], tasks, self._run["graph"])
            touched = tuple(sorted(self._touched))
            self._standings = replace(kept, tasks=tasks, touched=touched)
            self._state = replace(self._state, **self._run, tasks=tasks, kept=self._standings)
            self._tasks, self._run = None, {}
        return self._state

    def task(self, task_id: TaskId) -> TaskState:
        """Return the current state of a task."""
        tasks = self._state.tasks if self._tasks is None else self._tasks
        return tasks[self._state.graph.index[task_id]]

    def spec(self, task_id: TaskId) -> TaskSpec:
        """Return the task's specification."""
        return self._state.spec(task_id)

    def change(self, task_id: TaskId, **changes: Any) -> TaskState:
        """Change fields of a task, but not its phase."""
        if self._tasks is None:
            self._tasks = list(self._state.tasks)
        position = self._state.graph.index[task_id]
        self._touched.add(position)
        after = replace(self._tasks[position], **changes)
        plan = self._state.plan
        self._standings = self._standings.changed(plan, self._tasks, position, after)
        return after

    def move(self, task_id: TaskId, phase: Phase, **changes: Any) -> TaskState:
        """Move a task to another phase; raise IllegalTransition when the table forbids it."""
        before = self.task(task_id).phase
        if phase not in LEGAL[before]:
            raise IllegalTransition(f"task {task_id} can't go from {before} to {phase}")
        if phase in TERMINAL:
            changes = {"ended_at": self.now, "held": False, "slot": None, "wait": None} | changes
            self.changed.append(task_id)
        return self.change(task_id, phase=phase, **changes)

    def set(self, **changes: Any) -> None:
        """Change fields of the run."""
        self._run |= changes

    def act(self, *actions: Action) -> None:
        """Ask for actions."""
        self.actions.extend(actions)

    def notice(self, text: str) -> None:
        """Send a message to the user."""
        self.set(notices=(*self.state.notices, text))
