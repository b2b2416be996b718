"""The rule-based planner: from a goal to a checked plan with its reasons and its payoff."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.formatting import percent
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.sanitize import clean
from pex_tui.planning.goals.compose import Composed, Material, compose
from pex_tui.planning.goals.files import goal_files
from pex_tui.planning.goals.goal_signals import GoalSignals, read_signals
from pex_tui.planning.goals.goal_text import tidy_goal
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.patterns.choice import Pattern
from pex_tui.planning.goals.patterns.choose import choose_pattern
from pex_tui.planning.goals.wording import about_repository
from pex_tui.planning.goals.worth import LEAST_SAVING, payoff_of, worth
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan
from pex_tui.planning.plan_file.writer import document_to_yaml

_WORTH_IT = frozenset({Pattern.INVESTIGATION, Pattern.PARALLEL, Pattern.PIPELINE})


class GoalPlan(Struct, frozen=True):
    """A plan made from a goal, its text as a plan file, and the reasons for it."""

    plan: Plan
    text: str
    reasons: tuple[str, ...]


def plan_goal(
    goal: str,
    outline: RepositoryOutline,
    context: PlanContext,
    rules_for: Callable[[Plan], RunRules],
    *,
    why_rules: str = "",
) -> GoalPlan:
    """Return the plan for a goal; raise UserError for a goal that is empty or too long.

    `why_rules` is the reason why no model made the plan, if one could have.
    """
    text = tidy_goal(goal)
    signals = read_signals(text)
    choice = choose_pattern(signals, outline)
    boost = rules_for(Plan(())).emergency_slots
    likely = goal_files(signals, outline)
    material = Material(text, signals, choice, outline, context, likely, boost)
    composed = compose(material)
    written, plan = _parsed(composed, context)
    payoff = payoff_of(plan, composed.agent_seconds, rules_for)
    if choice.pattern in _WORTH_IT and payoff.saving < LEAST_SAVING:
        composed = compose(replace(material, one_by_one=True))
        written, plan = _parsed(composed, context)
        saving = percent(max(0.0, payoff.saving))
        doubt = f"in parallel it would save only {saving}, so one after the other"
    else:
        doubt = ""
    reasons = (
        f"pattern {choice.pattern}: {choice.why}",
        *((doubt,) if doubt else ()),
        f"complexity {choice.complexity}; {_requirements(signals)}",
        about_repository(outline),
        *composed.reasons,
        *(f"{topic} is left out: the goal rules it out" for topic in _left_out(signals, context)),
        *((f"planned by rules: {why_rules}",) if why_rules else ()),
        worth(plan, payoff),
    )
    return explained(plan, written, reasons)


def explained(plan: Plan, text: str, reasons: tuple[str, ...]) -> GoalPlan:
    """Return the plan with its reasons as the first lines of its file."""
    told = tuple(clean(reason) for reason in reasons)
    return GoalPlan(plan, "".join(f"# {reason}\n" for reason in told) + text, told)


def _parsed(composed: Composed, context: PlanContext) -> tuple[str, Plan]:
    """Return the document's text, and the plan parsed from it."""
    text = document_to_yaml(composed.document)
    return text, parse_plan(text, "the goal's plan", context)


def _requirements(signals: GoalSignals) -> str:
    """Describe the goal's requirements, in words."""
    asked = ", ".join(signals.intents) or "nothing by a verb that is known here"
    named = f"; names {', '.join(signals.paths[:3])}" if signals.paths else ""
    return f"asks to {asked}{named}" if signals.intents else f"asks for {asked}{named}"


def _left_out(signals: GoalSignals, context: PlanContext) -> tuple[str, ...]:
    return tuple(sorted(topic for topic in signals.ruled_out if topic in context.agents))
