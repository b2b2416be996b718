"""A goal into a plan: read, choose, compose, check, and say why and what it is worth."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pex_tui.core.amounts import clock, counted
from pex_tui.core.graph import PlanGraph
from pex_tui.core.plan import Plan
from pex_tui.core.rules import RunRules
from pex_tui.core.text import clean
from pex_tui.errors import UserError
from pex_tui.planning.context import PlanContext
from pex_tui.planning.goals.choice import Pattern
from pex_tui.planning.goals.choose import choose
from pex_tui.planning.goals.compose import Composed, Material, compose
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.signals import MOST_READ, Signals, read_signals
from pex_tui.planning.goals.wording import about_repository
from pex_tui.planning.planfile import parse_plan
from pex_tui.planning.schedule import schedule_plan
from pex_tui.planning.writer import document_to_yaml

_LEAST_SAVING = 0.2
_TAB_WIDTH = 8  # the most that a character becomes when it is made safe to show
_WORTH_IT = frozenset({Pattern.INVESTIGATION, Pattern.PARALLEL, Pattern.PIPELINE})


@dataclass(frozen=True, slots=True)
class GoalPlan:
    """A plan made from a goal, its text as a plan file, and why it is as it is."""

    plan: Plan
    text: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Payoff:
    """Seconds with the plan's slots, and by one agent alone; switched-off tasks count as well."""

    together: float
    alone: float
    slots: int

    @property
    def saving(self) -> float:
        """The share of time saved."""
        return 1 - self.together / self.alone if self.alone else 0.0


def plan_goal(
    goal: str,
    outline: RepositoryOutline,
    context: PlanContext,
    rules_for: Callable[[Plan], RunRules],
) -> GoalPlan:
    """The plan for a goal; raises UserError for a goal that is empty or too long."""
    text = tidy_goal(goal)
    signals = read_signals(text)
    choice = choose(signals, outline)
    boost = rules_for(Plan(())).emergency_slots
    material = Material(text, signals, choice, outline, context, boost)
    composed = compose(material)
    written, plan = _parsed(composed, context)
    payoff = _payoff(plan, composed.agent_seconds, rules_for)
    if choice.pattern in _WORTH_IT and payoff.saving < _LEAST_SAVING:
        composed = compose(replace(material, one_by_one=True))
        written, plan = _parsed(composed, context)
        doubt = (
            f"side by side would save only {max(0.0, payoff.saving):.0%}, so one after the other"
        )
    else:
        doubt = ""
    reasons = (
        f"pattern {choice.pattern}: {choice.why}",
        *((doubt,) if doubt else ()),
        f"complexity {choice.complexity}; {_requirements(signals)}",
        about_repository(outline),
        *composed.reasons,
        *(f"{topic} is left out: the goal rules it out" for topic in _left_out(signals, context)),
        _worth(plan, payoff),
    )
    told = tuple(clean(reason) for reason in reasons)
    return GoalPlan(plan, _commented(told, written), told)


def tidy_goal(goal: str) -> str:
    """The goal's lines without what steers a terminal; raises UserError when nothing is left."""
    lines = [clean(line, _TAB_WIDTH * len(line) + 1).strip() for line in goal.splitlines()]
    text = "\n".join(lines).strip()
    if not text:
        raise UserError('The goal is empty. Say what is to be done: pex-tui plan "Fix the tests".')
    if len(text) > MOST_READ:
        raise UserError(
            f"The goal has {len(text)} characters, and {MOST_READ} are read. Put the details in a "
            "file of the repository, and name it in the goal."
        )
    return text


def _parsed(composed: Composed, context: PlanContext) -> tuple[str, Plan]:
    """The document's text, and the plan that it reads as."""
    text = document_to_yaml(composed.document)
    return text, parse_plan(text, "the goal's plan", context)


def _commented(reasons: tuple[str, ...], text: str) -> str:
    """The plan file's text; its first lines say why."""
    return "".join(f"# {reason}\n" for reason in reasons) + text


def _payoff(
    plan: Plan, agent_seconds: tuple[float, ...], rules_for: Callable[[Plan], RunRules]
) -> _Payoff:
    pairs = zip(plan.tasks, agent_seconds, strict=True)
    tasks = tuple(replace(spec, enabled=True, estimate_seconds=took) for spec, took in pairs)
    whole = replace(plan, tasks=tasks)
    rules = rules_for(whole)
    found = schedule_plan(whole, PlanGraph.build(whole, rules), rules)
    return _Payoff(found.makespan_seconds, found.serial_seconds, found.slots)


def _worth(plan: Plan, payoff: _Payoff) -> str:
    """What the plan saves over one agent, and what of it can run today."""
    off = sum(not spec.enabled for spec in plan.tasks)
    tasks = counted(len(plan.tasks), "task")
    note = f"; {off} of {tasks} switched off until an agent is there" if off else ""
    alone = f"one agent alone would take about {clock(payoff.alone)}"
    if payoff.saving < _LEAST_SAVING:
        return f"time: {alone}, and more slots would not shorten it{note}"
    together = f"with agents about {clock(payoff.together)} in {counted(payoff.slots, 'slot')}"
    return f"time: {together}; {alone} ({payoff.saving:.0%} saved){note}"


def _requirements(signals: Signals) -> str:
    """What the goal asks for, in words."""
    asked = ", ".join(signals.intents) or "nothing by a verb that is known here"
    named = f"; names {', '.join(signals.paths[:3])}" if signals.paths else ""
    return f"asks to {asked}{named}" if signals.intents else f"asks for {asked}{named}"


def _left_out(signals: Signals, context: PlanContext) -> tuple[str, ...]:
    return tuple(sorted(topic for topic in signals.ruled_out if topic in context.agents))
