"""Where a command stands: the repository, its state directory, the settings, the agents."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.repository import Repository, discover
from pex_tui.adapters.git.plumbing.stand_in_directory import stand_in_for
from pex_tui.adapters.git.user_repository.repository_notices import notices as git_notices
from pex_tui.adapters.git.user_repository.state_directory import state_directory
from pex_tui.adapters.library.library import AgentFolder, Library, agent_folders, load_library
from pex_tui.adapters.storage.fault_log import FaultLog
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.storage.journal_file import JournalError
from pex_tui.adapters.storage.past_runs import USUAL_PACE, read_experience
from pex_tui.adapters.system.probe import machine_memory
from pex_tui.adapters.system.programs import program_finder
from pex_tui.core.figures.experience import Experience
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.model.run_rules import MOST_SLOTS, RunRules
from pex_tui.engine.contained import Advisor
from pex_tui.engine.run_paths import Places
from pex_tui.engine.session import PlanDraft, Planning
from pex_tui.errors import UserError
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.foreseeable import may_collide
from pex_tui.planning.plan_file.parser import parse_plan
from pex_tui.resources import shipped
from pex_tui.settings.load import Settings, config_home, load_settings
from pex_tui.textfiles import load_text_file

if TYPE_CHECKING:
    from pex_tui.application.collision_prediction import Foreseer
    from pex_tui.planning.goals.planner import GoalPlan


class Ground(Struct, frozen=True, dict=True):
    """A repository as a command finds it; `environ` is the user's environment."""

    repository: Repository
    settings: Settings
    overrides: tuple[str, ...]
    environ: Mapping[str, str]

    @cached_property
    def places(self) -> Places:
        """Where runs live; made on first use. Raises UserError when it can't be written."""
        return Places(state_directory(self.repository))

    @cached_property
    def library(self) -> Library:
        """All agent definitions."""
        return load_library(library_folders(self.repository.top_level, self.environ))

    @cached_property
    def _foreseer(self) -> "Foreseer":
        from pex_tui.application.collision_prediction import Foreseer  # noqa: PLC0415  # home needs it not

        return Foreseer(self.repository, self.places.root)

    def open_journal(self) -> SqliteJournal:
        """The journal; raise UserError when it can't be used."""
        try:
            return SqliteJournal(self.places.journal)
        except JournalError as error:
            raise UserError(str(error)) from error

    async def load_plan(
        self,
        path: Path,
        *,
        slots: int | None = None,
        fail_fast: bool = False,
        land: bool = False,
        uncommitted: bool = False,
    ) -> PlanDraft:
        """Parse and check a plan file; raise UserError with every problem at once.

        `uncommitted` says that the run will hold the user's uncommitted work.
        """
        check_slots(slots)
        await self.repository.head()
        return await self.review(
            await load_text_file(path, "plan"),
            str(path),
            place=path,
            slots=slots,
            fail_fast=fail_fast,
            land=land,
            uncommitted=uncommitted,
        )

    async def review(
        self,
        text: str,
        source: str,
        *,
        place: Path | None = None,
        slots: int | None = None,
        fail_fast: bool = False,
        land: bool = False,
        uncommitted: bool = False,
    ) -> PlanDraft:
        """Parse and check a plan's text; `source` is what messages call it. Raise UserError.

        A plan that does not say where its tasks run has them run where it lies.
        """
        said: list[str] = []
        context = await self._context(said)
        context = replace(context, folder=self._folder_of(place, context))
        plan = await self._foresee(parse_plan(text, source, context), context, said)
        if context.folder and plan.folder == context.folder:
            said.append(f"Tasks run in {plan.folder}, where the plan lies, unless dir: says more.")
        draft = self._draft(plan, Path(source).stem, slots=slots, fail_fast=fail_fast, land=land)
        return replace(draft, notices=await self._notices(said, uncommitted=uncommitted))

    async def plan_goal(
        self,
        goal: str,
        planning: Planning,
        *,
        slots: int | None = None,
        fail_fast: bool = False,
        land: bool = False,
        uncommitted: bool = False,
    ) -> PlanDraft:
        """A plan made from a goal, with its reasons; raise UserError when there is no goal in it.

        `uncommitted` says that the run will hold the user's uncommitted work.
        """
        made = await self.compose_goal(goal, planning, slots=slots)
        said: list[str] = []
        plan = await self._foresee(made.plan, await self._context(said), said)
        draft = self._draft(plan, "goal", slots=slots, fail_fast=fail_fast, land=land)
        notices = await self._notices(said, uncommitted=uncommitted)
        return replace(draft, notices=notices, reasons=made.reasons)

    async def compose_goal(
        self, goal: str, planning: Planning, *, slots: int | None = None
    ) -> "GoalPlan":
        """A plan made from a goal, as text as well; `slots` is what its worth is told for."""
        from pex_tui.adapters.library.repository_outline import read_outline  # noqa: PLC0415  # home needs it not
        from pex_tui.application.model_planner import PlanMaker  # noqa: PLC0415  # likewise
        from pex_tui.planning.goals.goal_text import tidy_goal  # noqa: PLC0415  # likewise
        from pex_tui.planning.goals.planner import plan_goal  # noqa: PLC0415  # likewise

        check_slots(slots)
        tidy_goal(goal)
        await self.repository.head()
        outline, context = await asyncio.gather(read_outline(self.repository), self._context([]))

        def rules_for(plan: Plan) -> RunRules:
            return self._rules(
                plan if slots is None else replace(plan, slots=slots), fail_fast=False, land=False
            )

        planner = self.settings.agents.planner
        if planner == "rules":
            return plan_goal(goal, outline, context, rules_for)
        made = await PlanMaker(self, outline, context, rules_for).make(goal, planning)
        if not isinstance(made, str):
            return made
        if planner == "model":
            raise UserError(
                f"There is no plan: {made}. Try again, or plan by rules: "
                "--set agents.planner=rules (auto: rules where an agent fails)."
            )
        return plan_goal(goal, outline, context, rules_for, why_rules=made)

    def _draft(
        self, plan: Plan, name: str, *, slots: int | None, fail_fast: bool, land: bool
    ) -> PlanDraft:
        if slots is not None:
            plan = replace(plan, slots=slots)
        rules = self._rules(plan, fail_fast=fail_fast, land=land)
        return PlanDraft(
            name=plan.goal.partition("\n")[0] or name,
            plan=plan,
            graph=PlanGraph.build(plan, rules),
            rules=rules,
        )

    async def revise_plan(self, draft: PlanDraft, text: str) -> PlanDraft:
        """The draft with the plan of another text; raise PlanError with every problem at once."""
        said: list[str] = []
        context = await self._context(said)
        plan = await self._foresee(parse_plan(text, "the plan", context), context, said)
        rules = self._rules(plan, fail_fast=draft.rules.fail_fast, land=draft.rules.land_at_end)
        notices = tuple(dict.fromkeys((*draft.notices, *said)))
        graph = PlanGraph.build(plan, rules)
        return replace(draft, plan=plan, graph=graph, rules=rules, notices=notices)

    async def _foresee(self, plan: Plan, context: PlanContext, said: list[str]) -> Plan:
        """The plan with the collisions that the repository's past lets expect."""
        if not may_collide(plan):
            return plan
        advisor = self._advisor("Predicting collisions", said)
        return await advisor.ask(self._foreseer.foresee(plan, context.tracked), otherwise=plan)

    def _advisor(self, name: str, said: list[str]) -> Advisor:
        """A part whose failure is one more notice of the plan."""
        return Advisor(name, said.append, FaultLog(self.places.root / "faults.log"))

    def _rules(self, plan: Plan, *, fail_fast: bool, land: bool) -> RunRules:
        return self.settings.rules(
            slots=plan.slots,
            fail_fast=fail_fast,
            land_at_end=land,
            agents=self.library.agents.values(),
        )

    async def _notices(self, said: list[str], *, uncommitted: bool) -> tuple[str, ...]:
        """What the user should know before a run starts here, besides what was `said` already."""
        advisor = self._advisor("Looking for what works differently in workspaces", said)
        peculiar = await advisor.ask(git_notices(self.repository), otherwise=())
        dirt = await self.repository.dirty()
        left_out = (
            f"Your uncommitted work ({dirt.summary}) is not in the run; "
            "--include-uncommitted puts a snapshot of it under the run."
        )
        taken = f"A snapshot of your uncommitted work ({dirt.summary}) is under the run."
        return (
            *self.settings.notices(),
            *self.library.problems,
            *peculiar,
            *said,
            *((taken if uncommitted else left_out,) if dirt else ()),
        )

    async def _context(self, said: list[str]) -> PlanContext:
        listing = await self.repository.checkout.run("ls-files", "-z")
        tracked = frozenset(name for name in os.fsdecode(listing.stdout).split("\0") if name)
        return PlanContext(
            agents=self.library.agents,
            find_program=program_finder(
                self.repository.top_level, self.environ.get("PATH", os.defpath)
            ),
            tracked=tracked,
            experience=self._advisor("Looking up past runs", said).call(
                self._experience, otherwise=Experience(pace=USUAL_PACE)
            ),
            isolation=self.settings.default_isolation,
            runners=self.settings.runners,
            break_cycles=self.settings.conflict_resolution.break_cycles,
            memory_bytes=machine_memory(),
        )

    def _folder_of(self, place: Path | None, context: PlanContext) -> str:
        """The folder of the repository that a plan file lies in; the root for one that is not."""
        top = self.repository.top_level.resolve()
        folder = None if place is None else place.resolve().parent
        if folder is None or not folder.is_relative_to(top):
            return ""
        name = folder.relative_to(top).as_posix()
        is_hidden = any(part.startswith(".") for part in name.split("/"))
        return "" if is_hidden or name not in context.folders else name

    def _experience(self) -> Experience:
        """What earlier runs in this repository teach."""
        if not self.places.journal.exists():
            return Experience(pace=USUAL_PACE)
        journal = self.open_journal()
        try:
            return read_experience(journal)
        finally:
            journal.close_now()


async def pinned(ground: Ground, run: RunId) -> Ground:
    """The ground with git's settings as they were before any agent of the run ran.

    Raises UserError when they can't be read.
    """
    folder = ground.places.settings(run)
    return replace(ground, repository=await stand_in_for(ground.repository, folder))


def library_folders(repo_top: Path | None, environ: Mapping[str, str]) -> tuple[AgentFolder, ...]:
    """Where agent definitions lie, most specific first; raise UserError when ours are missing."""
    home = Path(environ.get("HOME") or Path.home())
    return agent_folders(repo_top, home, config_home(environ), shipped("config") / "agents")


def check_slots(slots: int | None) -> None:
    """Raise UserError for a number of slots that no run has."""
    if slots is not None and not 1 <= slots <= MOST_SLOTS:
        raise UserError(f"--slots {slots}: a run has 1 to {MOST_SLOTS} slots.")


async def open_ground(path: Path, overrides: Sequence[str] = ()) -> Ground:
    """The ground at a path; raise UserError when it can't be worked on."""
    environ = dict(os.environ)
    repository = await discover(path)
    settings = load_settings(repository.top_level, overrides, environ)
    return Ground(repository, settings, tuple(overrides), environ)
