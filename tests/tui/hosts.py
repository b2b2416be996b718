"""A scripted run and repository for the app's tests."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pex_tui.core.events.run_events import Event
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.state import RunState
from pex_tui.core.undo_values import UndoOffer
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.ports import GateResult, SlotPool
from pex_tui.engine.session import (
    CheckLevel,
    DoctorCheck,
    PlanDraft,
    Planning,
    ProjectService,
    RunSession,
    RunSummary,
    Usage,
)
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan
from pex_tui.tui.app import PexApp
from pex_tui.tui.look import Look
from pex_tui.tui.opening import Opened, Start

DIFF = """\
diff --git a/src/pay/api.py b/src/pay/api.py
index 1111111..2222222 100644
--- a/src/pay/api.py
+++ b/src/pay/api.py
@@ -1,4 +1,5 @@
 import decimal
-def refund(amount):
+def refund(amount, reason):
+    check(reason)
     return amount
"""


class ScriptedSession(RunSession):
    """Shows the states it is given and records requests."""

    def __init__(self, state: RunState, logs: Path | None = None) -> None:
        self._state = state
        self._logs = logs
        self._listeners: list[Callable[[RunState], None]] = []
        self.is_ours = True
        self.refusal = ""
        self.posted: list[Event] = []
        self.resolved: list[tuple[TaskId, Decision, dict[str, bytes | None]]] = []
        self.checked: list[tuple[TaskId, dict[str, bytes | None]]] = []
        self.gate_result = GateResult(passed=True, seconds=1.5)
        self.was_let_go = False
        self.lets_go = asyncio.Event()
        self.lets_go.set()
        self.served = asyncio.Event()
        self.over = asyncio.Event()
        self.failure: Exception | None = None
        self.diff_text = DIFF
        self.conflict_sides: tuple[ConflictSides, ...] = ()
        self.usage_now = Usage(0.68, 512 * 1024**2)

    @property
    def state(self) -> RunState:
        return self._state

    @property
    def is_own(self) -> bool:
        return self.is_ours

    @property
    def is_driven(self) -> bool:
        return self.served.is_set() and not self.over.is_set()

    def publish(self, state: RunState) -> None:
        """The engine has a new state."""
        self._state = state
        for listener in list(self._listeners):
            listener(state)

    async def ask(self, event: Event) -> None:
        if self.refusal:
            raise UserError(self.refusal)
        self.posted.append(replace(event, at=0.0))

    def subscribe(self, listener: Callable[[RunState], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def serve(self, pool: SlotPool) -> None:
        del pool
        self.served.set()
        await self.over.wait()
        if self.failure is not None:
            raise self.failure

    async def let_go(self) -> None:
        self.was_let_go = True
        await self.lets_go.wait()
        self.over.set()

    def output(self, task: TaskId, attempt: int) -> Path:
        folder = self._logs or Path("nowhere")
        return folder / f"{task}-{attempt}.log"

    async def diff(self, task: TaskId) -> str:
        del task
        return self.diff_text

    async def sides(self, task: TaskId) -> tuple[ConflictSides, ...]:
        del task
        return self.conflict_sides

    async def resolve(
        self, task: TaskId, decision: Decision, contents: dict[str, bytes | None]
    ) -> None:
        self.resolved.append((task, decision, contents))

    async def check(self, task: TaskId, contents: dict[str, bytes | None]) -> GateResult:
        self.checked.append((task, contents))
        return self.gate_result

    async def usage(self) -> Usage:
        return self.usage_now


class ScriptedService:
    """A scripted project service; `session` is the result of `start` and `resume`."""

    repository = "shop · main@9f2c1ab, clean"

    def __init__(self, session: ScriptedSession | None = None) -> None:
        self.session = session
        self.draft: PlanDraft | None = None
        self.summaries: tuple[RunSummary, ...] = ()
        self.report_text = ""
        self.findings: tuple[DoctorCheck, ...] = (DoctorCheck(CheckLevel.OK, "git", "2.47.3"),)
        self.merge_tool = ""
        self.driven_elsewhere = asyncio.Event()
        self.planner_words: tuple[str, ...] = ()  # of an agent that would plan for ever
        self.merged: bytes | None = None
        self.exported: list[tuple[RunId, Path]] = []
        self.handed_over: list[RunId] = []
        self.started: list[PlanDraft] = []
        self.kept: list[PlanDraft] = []
        self.discarded: list[PlanDraft] = []
        self.resumed: list[RunId] = []
        self.attached: list[RunId] = []
        self.goals: list[str] = []
        self.offer: UndoOffer | None = None
        self.undone: list[UndoOffer] = []

    async def checks(self) -> tuple[DoctorCheck, ...]:
        return self.findings

    async def runs(self) -> tuple[RunSummary, ...]:
        return self.summaries

    async def report(self, run: RunId) -> str:
        return self.report_text or f"Report of run {run}"

    async def compare(self, first: RunId, second: RunId) -> str:
        return f"Run {first} against {second}"

    async def export(self, run: RunId, path: Path) -> None:
        if path.suffix != ".html":
            raise UserError(f"{path}: end the name with .html.")
        self.exported.append((run, path))

    async def undo_offer(self, run: RunId) -> UndoOffer:
        if self.offer is None:
            raise UserError(f"Run {run} has not landed, or is rolled back already.")
        return self.offer

    async def undo(self, offer: UndoOffer) -> str:
        self.undone.append(offer)
        return "Rolled back."

    async def plan_of(self, run: RunId) -> PlanDraft:
        return await self.open_plan(Path(f"run {run}"))

    async def open_plan(self, path: Path) -> PlanDraft:
        if self.draft is None:
            raise UserError(f"{path}: there is no such plan. Check the path.")
        return self.draft

    async def plan_goal(self, goal: str, planning: Planning) -> PlanDraft:
        self.goals.append(goal)
        if self.planner_words:
            for line in self.planner_words:
                planning.tell(line)
            await planning.skip.wait()
        if self.draft is None:
            raise UserError("The goal is empty. Say what is to be done.")
        return self.draft

    async def revise(self, draft: PlanDraft, text: str) -> PlanDraft:
        named = {spec.agent for spec in draft.plan.tasks if spec.agent}
        agents = {name: AgentDefinition(name) for name in named}
        plan = parse_plan(text, "the plan", PlanContext(agents=agents))
        return replace(draft, plan=plan, graph=PlanGraph.build(plan, draft.rules))

    async def keep(self, draft: PlanDraft) -> Path:
        self.kept.append(draft)
        return Path("drafts/plan.yaml")

    async def discard(self, draft: PlanDraft) -> None:
        self.discarded.append(draft)

    async def merge(self, sides: ConflictSides) -> bytes:
        if self.merged is None:
            raise UserError(f"{self.merge_tool} ended with 1: it gave {sides.path} up")
        return self.merged

    async def start(self, draft: PlanDraft) -> RunSession:
        self.started.append(draft)
        return self._session()

    async def resume(self, run: RunId, *, continues: bool = True) -> RunSession:  # noqa: ARG002
        self.resumed.append(run)
        return self._session()

    async def attach(self, run: RunId) -> RunSession:
        self.attached.append(run)
        return self._session()

    async def until_driven(self, run: RunId) -> None:
        del run
        await self.driven_elsewhere.wait()
        self.driven_elsewhere.clear()

    async def hand_over(self, run: RunId) -> None:
        self.handed_over.append(run)

    def _session(self) -> RunSession:
        if self.session is None:
            raise UserError("another engine holds this repository.", 5)
        return self.session


def app_on(
    service: ProjectService,
    *,
    start: Start = "home",
    classic: bool = False,
    now: Callable[[], float] = time.time,
    **look: Any,
) -> PexApp:
    """Return the app on a repository; keyword arguments are fields of its `Look`."""
    return PexApp(Opened(service, Look(**look), start), classic=classic, now=now)
