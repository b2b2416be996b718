"""Parsing of a planning agent's answer: to a plan with its reasons, or to errors to fix.

The answer is untrusted text: it is parsed like a plan file, and nothing in it is executed.
"""

import re
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.formatting import percent
from pex_tui.core.model.plan import GatePolicy, Plan, TaskSpec
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.sanitize import clean
from pex_tui.planning.fields.documents import read_document
from pex_tui.planning.fields.problems import PlanError, UnreadableError
from pex_tui.planning.goals.planner import GoalPlan, explained
from pex_tui.planning.goals.question import MOST_TASKS
from pex_tui.planning.goals.worth import LEAST_SAVING, payoff_of, worth
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan
from pex_tui.planning.plan_file.warnings import lacks_a_tool
from pex_tui.planning.plan_file.writer import plan_to_yaml

_LONGEST_ANSWER = 100_000  # characters
_LONGEST_WHY = 600
_MOST_PROBLEMS = 30
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([\w+-]*)[ \t]*")
_LABELS = frozenset({"yaml", "yml", "json"})
_NO_PLAN = "there is no plan in your answer: no block fenced with ```yaml, and no text that is one."


class Proposal(Struct, frozen=True):
    """A valid plan, and the planner's remarks as one sanitized line."""

    plan: Plan
    why: str


def read_answer(said: str, context: PlanContext) -> Proposal | tuple[str, ...]:
    """Return the plan in an agent's answer, or all of its errors."""
    if len(said) > _LONGEST_ANSWER:
        return (f"your answer has {len(said)} characters, and {_LONGEST_ANSWER} are read.",)
    text, rest = _plan_and_rest(said)
    if not text:
        return (_NO_PLAN,)
    try:
        plan = parse_plan(text, "your plan", context)
    except PlanError as error:
        return error.problems
    if len(plan.tasks) > MOST_TASKS:
        return (f"your plan has {len(plan.tasks)} tasks, and {MOST_TASKS} are the most.",)
    unable = tuple(
        f'your plan: task "{spec.id}" is to write files, and its agent {spec.agent} only reads. '
        "Choose one that writes, or declare writes: []."
        for spec in plan.tasks
        if lacks_a_tool(spec)
    )
    return unable or Proposal(plan, clean(" ".join(rest.split()), _LONGEST_WHY))


def lesson_of(problems: tuple[str, ...]) -> str:
    """Return the prompt that asks the agent to fix its answer."""
    told = "\n".join(f"- {problem}" for problem in problems[:_MOST_PROBLEMS])
    return (
        f"Your plan can't be used as it is:\n\n{told}\n\n"
        "Fix all of this, and answer with the whole plan again, in one block fenced with ```yaml; "
        "lines are counted in that block."
    )


def proposed_plan(
    proposal: Proposal,
    goal: str,
    planner: str,
    context: PlanContext,
    rules_for: Callable[[Plan], RunRules],
) -> GoalPlan:
    """Return the proposed plan for the goal, with reasons for a closer look.

    The start commit, the number of slots and the gate policy remain the user's decisions.
    """
    plan = replace(proposal.plan, goal=goal, base=None, slots=None, gate=GatePolicy.STRICT)
    payoff = payoff_of(plan, tuple(spec.estimate_seconds for spec in plan.tasks), rules_for)
    own = [spec.id for spec in plan.tasks if _is_own(spec, context)]
    written = ", ".join([*own, *(["verify"] if plan.verify else [])])
    saves_little = len(plan.tasks) > 1 and payoff.saving < LEAST_SAVING
    reasons = {
        f"planned by {planner}": True,
        f"it says: {proposal.why}": bool(proposal.why),
        f"commands of the model's own, look at them: {written}": bool(written),
        f"several agents save only {percent(max(0.0, payoff.saving))} of the time": saves_little,
        worth(plan, payoff): True,
    }
    told = tuple(reason for reason, holds in reasons.items() if holds)
    return explained(plan, plan_to_yaml(plan), told)


def _is_own(spec: TaskSpec, context: PlanContext) -> bool:
    """Return whether the task runs or sets anything beyond its agent's definition."""
    agent = context.agents.get(spec.agent) if spec.agent else None
    given = agent is not None and (spec.brief is not None or spec.argv == agent.argv)
    return not given or bool(spec.env)


def _plan_and_rest(said: str) -> tuple[str, str]:
    """Return the last fenced block (or all of the text, if a mapping), and the other words."""
    blocks: dict[bool, str] = {}  # the last one with a label of ours, and the last without a label
    fence, label, block, rest = "", "", "", ""
    for line in said.splitlines(keepends=True):
        found = _FENCE.fullmatch(line.rstrip("\r\n"))
        if not fence and found:
            fence, label, block = found[1], found[2].lower(), ""
        elif fence and found and found[1].startswith(fence) and not found[2]:
            blocks[label in _LABELS] = block if label in _LABELS or not label else ""
            fence = ""
        elif fence:
            block += line
        else:
            rest += line
    if fence and label in _LABELS:  # unterminated block, whose errors are then reported
        blocks[True] = block
    text = blocks.get(True) or blocks.get(False)
    if text:
        return text, rest
    return (said, "") if _is_mapping(said) else ("", rest)


def _is_mapping(text: str) -> bool:
    try:
        return isinstance(read_document(text).content, dict)
    except UnreadableError:
        return False
