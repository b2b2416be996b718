"""Plan a goal with an agent: ask, check, report errors back, at most three times.

The agent reads a copy of the commit in its own folder and may do nothing else. Any failure is a
reason to plan by rules instead, and never an error.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.agents.consultation import Consultation, Reply, passing_places
from pex_tui.adapters.agents.launches import AgentLaunches
from pex_tui.adapters.agents.port_leases import PortLeases
from pex_tui.adapters.agents.runner import AgentsRunner
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.user_repository.export_commit import export_commit
from pex_tui.adapters.storage.engine_lock import EngineBusyError
from pex_tui.application.project.network import network_rules
from pex_tui.application.project.project import Project
from pex_tui.application.project.sandboxing import sandbox_policy
from pex_tui.core.formatting import counted, spoken, tokens, total
from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import LaunchError
from pex_tui.engine.ports import Workspace
from pex_tui.engine.session import Planning
from pex_tui.errors import UserError
from pex_tui.planning.goals.answer import lesson_of, proposed_plan, read_answer
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.planner import GoalPlan
from pex_tui.planning.goals.question import planning_task
from pex_tui.planning.plan_file.context import PlanContext

_MOST_ROUNDS = 3
_MOST_SECONDS = 300.0
_GRACE_SECONDS = 2.0


class PlanMaker(Struct, frozen=True):
    """Plans goals with the library's planning agent.

    `rules_for` returns the rules of a plan's run.
    """

    project: Project
    outline: RepositoryOutline
    context: PlanContext
    rules_for: Callable[[Plan], RunRules]

    async def make(self, goal: str, planning: Planning) -> GoalPlan | str:
        """Return the plan, or the reason there is none."""
        spec = planning_task(goal, self.outline, self.context)
        if isinstance(spec, str):
            return spec
        asking = asyncio.ensure_future(self._ask(goal, spec, planning.tell))
        skipping = asyncio.ensure_future(planning.skip.wait())
        try:
            await asyncio.wait(
                (asking, skipping), timeout=_MOST_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if asking.done():
                return asking.result()
            if skipping.done():
                return "you did not wait for an agent's plan"
            return f"{_name(spec)} had no plan within {spoken(_MOST_SECONDS)}"
        finally:
            skipping.cancel()
            asking.cancel()
            await asyncio.wait((asking, skipping))  # no process is left then

    async def _ask(self, goal: str, spec: TaskSpec, tell: Callable[[str], None]) -> GoalPlan | str:
        try:
            async with passing_places(self.project.places.root / "goals") as places:
                leases = PortLeases(places.root.name)
                runner = AgentsRunner(places, stall_seconds=self.project.settings.agents.stall)
                launches = AgentLaunches(
                    places=places,
                    leases=leases,
                    user=self.project.environ,
                    grace_seconds=_GRACE_SECONDS,
                    passed=self.project.settings.safety.env_pass,
                    ties=True,
                    sandboxes=sandbox_policy(self.project),
                    network=network_rules(
                        self.project.settings.safety.network, self.project.environ
                    ),
                )
                try:
                    workspace = await self._copy(places.root / "copy")
                    talk = Consultation(runner, launches, spec, workspace, tell)
                    return await self._converse(goal, spec, talk, tell)
                finally:
                    await runner.close()
                    leases.close()
        except (LaunchError, GitError, EngineBusyError, OSError, UserError) as error:
            return f"{_name(spec)} could not be asked: {clean(str(error))}"

    async def _converse(
        self, goal: str, spec: TaskSpec, talk: Consultation, tell: Callable[[str], None]
    ) -> GoalPlan | str:
        replies: list[Reply] = []
        lesson = ""
        problems: tuple[str, ...] = ()
        for number in range(1, _MOST_ROUNDS + 1):
            tell(f"{_name(spec)} plans, round {number} of at most {_MOST_ROUNDS}")
            reply = await talk.ask(lesson)
            replies.append(reply)
            if reply.judgement.failure is not None:
                why = clean(reply.judgement.detail) or reply.judgement.failure.value
                return f"{_name(spec)} failed: {why}"
            read = read_answer(reply.words, self.context)
            if not isinstance(read, tuple):
                by = f"{_name(spec)}, {_effort(replies)}"
                return proposed_plan(read, goal, by, self.context, self.rules_for)
            problems = read
            tell(f"its plan has {counted(len(problems), 'problem')}: {clean(problems[0])}")
            lesson = lesson_of(problems)
        return (
            f"{_name(spec)} had no valid plan after {_effort(replies)}; "
            f"the last one: {clean(problems[0])}"
        )

    async def _copy(self, folder: Path) -> Workspace:
        commit = await self.project.repository.head()
        await export_commit(self.project.repository, commit, folder)
        return Workspace(folder, commit)


def _name(spec: TaskSpec) -> str:
    return f"{spec.agent} ({spec.brief.runner})" if spec.brief else spec.id


def _effort(replies: list[Reply]) -> str:
    """Return rounds, tokens and dollars, as far as known."""
    used, cost = sum(reply.tokens for reply in replies), total(reply.cost_usd for reply in replies)
    facts = [counted(len(replies), "round")]
    facts += [f"{tokens(used)} tokens"] if used else []
    facts += [f"${cost:.2f}"] if cost is not None else []
    return ", ".join(facts)
