"""Plans for a person to review: from a file, from a text, or made for a goal.

Each is checked against the repository, and comes with predicted conflicts and with notices for the
user.
"""

import asyncio
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.git.user_repository.repository_notices import repository_notices
from pex_tui.adapters.limits.machine_memory import machine_memory
from pex_tui.adapters.storage.fault_log import FaultLog
from pex_tui.adapters.storage.past_runs import USUAL_PACE, read_experience
from pex_tui.adapters.system.programs import program_finder
from pex_tui.application.project.project import Project, check_slots
from pex_tui.application.project.sandboxing import missing_sandbox, open_network, sandbox_name
from pex_tui.core.figures.experience import Experience
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import RunRules
from pex_tui.engine.contained import Advisor
from pex_tui.engine.session import PlanDraft, Planning
from pex_tui.errors import UserError
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan
from pex_tui.planning.plan_file.predictable_tasks import has_predictable_pair
from pex_tui.textfiles import load_text_file

if TYPE_CHECKING:
    from pex_tui.application.plans.conflict_prediction import RepositoryPredictor
    from pex_tui.planning.goals.planner import GoalPlan


class PlanDrafts(Struct, frozen=True, dict=True):
    """Makes drafts of plans in one repository, with the options of one command.

    `uncommitted` means that the run includes the user's uncommitted work.
    """

    project: Project
    slots: int | None = None
    fail_fast: bool = False
    land: bool = False
    uncommitted: bool = False

    async def load(self, path: Path) -> PlanDraft:
        """Parse and check a plan file; raise UserError with every problem at once."""
        check_slots(self.slots)
        await self.project.repository.head()
        return await self.review(await load_text_file(path, "plan"), str(path), place=path)

    async def review(self, text: str, source: str, *, place: Path | None = None) -> PlanDraft:
        """Parse and check a plan's text; `source` is its name in messages. Raise UserError.

        Tasks without a directory run in the plan's folder.
        """
        said: list[str] = []
        context = await self._context(said)
        context = replace(context, folder=self._folder_of(place, context))
        plan = await self._predict(parse_plan(text, source, context), context, said)
        if context.folder and plan.folder == context.folder:
            said.append(f"Tasks run in {plan.folder}, the plan's folder, unless they set dir.")
        return replace(self._draft(plan, Path(source).stem), notices=await self._notices(said))

    async def plan_goal(self, goal: str, planning: Planning) -> PlanDraft:
        """Make a plan for a goal, with its reasons; raise UserError if the goal is empty."""
        made = await self.compose_goal(goal, planning)
        said: list[str] = []
        plan = await self._predict(made.plan, await self._context(said), said)
        notices = await self._notices(said)
        return replace(self._draft(plan, "goal"), notices=notices, reasons=made.reasons)

    async def compose_goal(self, goal: str, planning: Planning) -> "GoalPlan":
        """Make a plan for a goal, also as text; the estimates are for `slots`."""
        from pex_tui.adapters.library.repository_outline import read_outline  # noqa: PLC0415  # only goals
        from pex_tui.application.plans.model_planner import PlanMaker  # noqa: PLC0415  # likewise
        from pex_tui.planning.goals.goal_text import tidy_goal  # noqa: PLC0415  # likewise
        from pex_tui.planning.goals.planner import plan_goal  # noqa: PLC0415  # likewise

        check_slots(self.slots)
        tidy_goal(goal)
        repository, settings = self.project.repository, self.project.settings
        await repository.head()
        outline, context = await asyncio.gather(read_outline(repository), self._context([]))

        def rules_for(plan: Plan) -> RunRules:
            return self._rules(self._sized(plan))

        planner = settings.agents.planner
        if planner == "rules":
            return plan_goal(goal, outline, context, rules_for)
        made = await PlanMaker(self.project, outline, context, rules_for).make(goal, planning)
        if not isinstance(made, str):
            return made
        if planner == "model":
            raise UserError(
                f"There is no plan: {made}. Try again, or plan by rules: "
                "--set agents.planner=rules (auto: rules where an agent fails)."
            )
        return plan_goal(goal, outline, context, rules_for, why_rules=made)

    async def revise(self, draft: PlanDraft, text: str) -> PlanDraft:
        """Return the draft with the plan of another text; raise PlanError with every problem."""
        said: list[str] = []
        context = await self._context(said)
        plan = await self._predict(parse_plan(text, "the plan", context), context, said)
        rules = self._rules(plan)
        notices = tuple(dict.fromkeys((*draft.notices, *said)))
        graph = PlanGraph.build(plan, rules)
        return replace(draft, plan=plan, graph=graph, rules=rules, notices=notices)

    def _draft(self, plan: Plan, name: str) -> PlanDraft:
        plan = self._sized(plan)
        rules = self._rules(plan)
        return PlanDraft(
            name=plan.goal.partition("\n")[0] or name,
            plan=plan,
            graph=PlanGraph.build(plan, rules),
            rules=rules,
            sandbox=sandbox_name(self.project),
        )

    def _sized(self, plan: Plan) -> Plan:
        """Return the plan with the slots that the user asked for."""
        return plan if self.slots is None else replace(plan, slots=self.slots)

    def _rules(self, plan: Plan) -> RunRules:
        return self.project.settings.rules(
            slots=plan.slots,
            fail_fast=self.fail_fast,
            land_at_end=self.land,
            agents=self.project.library.agents.values(),
        )

    async def _predict(self, plan: Plan, context: PlanContext, said: list[str]) -> Plan:
        """Return the plan with conflicts predicted from the repository's history."""
        if not has_predictable_pair(plan):
            return plan
        advisor = self._advisor("Predicting conflicts", said)
        return await advisor.ask(self._predictor.predict(plan, context.tracked), otherwise=plan)

    @cached_property
    def _predictor(self) -> "RepositoryPredictor":
        from pex_tui.application.plans.conflict_prediction import RepositoryPredictor  # noqa: PLC0415  # if any may conflict

        return RepositoryPredictor(self.project.repository, self.project.places.root)

    def _advisor(self, name: str, said: list[str]) -> Advisor:
        """Return a part whose failure only adds a notice to the plan."""
        return Advisor(name, said.append, FaultLog(self.project.places.root / "faults.log"))

    async def _notices(self, said: list[str]) -> tuple[str, ...]:
        """List what the user should know before a run here, after what was `said` already."""
        repository = self.project.repository
        advisor = self._advisor("Looking for what works differently in workspaces", said)
        peculiar = await advisor.ask(repository_notices(repository), otherwise=())
        dirt = await repository.dirty()
        left_out = (
            f"Your uncommitted work ({dirt.summary}) is not in the run; "
            "--include-uncommitted puts a snapshot of it under the run."
        )
        taken = f"A snapshot of your uncommitted work ({dirt.summary}) is under the run."
        gaps = (missing_sandbox(self.project), open_network(self.project.settings.safety))
        return (
            *self.project.settings.notices(),
            *self.project.library.problems,
            *filter(None, gaps),
            *peculiar,
            *said,
            *((taken if self.uncommitted else left_out,) if dirt else ()),
        )

    async def _context(self, said: list[str]) -> PlanContext:
        repository, settings = self.project.repository, self.project.settings
        listing = await repository.checkout.run("ls-files", "-z")
        tracked = frozenset(name for name in os.fsdecode(listing.stdout).split("\0") if name)
        path = self.project.environ.get("PATH", os.defpath)
        return PlanContext(
            agents=self.project.library.agents,
            find_program=program_finder(repository.top_level, path),
            tracked=tracked,
            experience=self._advisor("Looking up past runs", said).call(
                self._experience, otherwise=Experience(pace=USUAL_PACE)
            ),
            isolation=settings.default_isolation,
            runners=settings.runners,
            break_cycles=settings.conflict_resolution.break_cycles,
            memory_bytes=machine_memory(),
        )

    def _folder_of(self, place: Path | None, context: PlanContext) -> str:
        """Return the repository folder with the plan file; the root if it is outside."""
        top = self.project.repository.top_level.resolve()
        folder = None if place is None else place.resolve().parent
        if folder is None or not folder.is_relative_to(top):
            return ""
        name = folder.relative_to(top).as_posix()
        is_hidden = any(part.startswith(".") for part in name.split("/"))
        return "" if is_hidden or name not in context.folders else name

    def _experience(self) -> Experience:
        """Read what earlier runs in this repository teach."""
        if not self.project.places.journal.exists():
            return Experience(pace=USUAL_PACE)
        journal = self.project.open_journal()
        try:
            return read_experience(journal)
        finally:
            journal.close_now()
