"""Composition of a plan file's document from a choice, with the reasons."""

from typing import Any

from msgspec import Struct

from pex_tui.core.figures.experience import TaskWork
from pex_tui.core.model.ids import AgentName
from pex_tui.planning.fields.quantities import format_duration
from pex_tui.planning.goals import vocabulary as words
from pex_tui.planning.goals.equivalents import FORMATTING, Equivalent, equivalent, gate
from pex_tui.planning.goals.goal_signals import GoalSignals
from pex_tui.planning.goals.outline import RepositoryOutline, Tool, ToolKind
from pex_tui.planning.goals.patterns.choice import Part, Pattern, PatternChoice
from pex_tui.planning.goals.verbs import Intent
from pex_tui.planning.goals.wording import LOOK_ONLY, PARTS
from pex_tui.planning.plan_file.context import PlanContext, runs_by
from pex_tui.planning.plan_file.writer import flow

PLACEHOLDER = "echo 'This step waits for a coding agent: put its command here.' >&2; exit 1"
_STRATEGIES = {
    Pattern.SEQUENTIAL: "sequential",
    Pattern.PARALLEL: "parallel",
    Pattern.INVESTIGATION: "parallel",
    Pattern.PIPELINE: "stages",
    Pattern.EMERGENCY: "parallel",
}
_READERS = frozenset(
    {words.SECURITY, words.COMPLIANCE, words.PRODUCT, words.BUSINESS, words.USERS, words.META}
    | {words.ORCHESTRATOR}
)
_CHANGERS = frozenset({words.ENGINEER, words.ERRORS, words.STATE, words.STRUCTURE, words.SPEED})
"""Agents whose prompts name the likely files, which then become a predicted write set."""
_AGENT_SECONDS = 480
_READER_SECONDS = 240
_TOOL_SECONDS = {ToolKind.TESTS: 90, ToolKind.PROFILE: 120, ToolKind.SCREENS: 180}
_OTHER_TOOL_SECONDS = 30
_FACTORS = {"simple": 0.5, "moderate": 1.0, "complex": 1.5}


class Composed(Struct, frozen=True):
    """The document of a plan file, and the reasons for its tasks."""

    document: dict[str, Any]
    reasons: tuple[str, ...]
    agent_seconds: tuple[float, ...]  # of each task by an agent, without tools


class Material(Struct, frozen=True):
    """The input of a plan; `emergency_slots` are the slots of a boost.

    `likely` are the files that the goal is probably about.
    """

    goal: str
    signals: GoalSignals
    choice: PatternChoice
    outline: RepositoryOutline
    context: PlanContext
    likely: tuple[str, ...] = ()
    emergency_slots: int = 8
    one_by_one: bool = False  # parallel work would not pay


def compose(material: Material) -> Composed:
    """Return the plan's document, which is a valid plan file for any goal."""
    tasks: list[dict[str, Any]] = []
    reasons: list[str] = []
    taken: list[tuple[str, ...]] = []
    for part in material.choice.parts:
        name = _task_id(part.agent, tasks)
        stand_in = _stand_in(part, material, taken)
        if stand_in is not None and stand_in.tool is not None:
            taken.append(stand_in.tool.argv)
        tasks.append(_task(name, part, material, stand_in, before=tasks))
        reasons.append(_reason(name, part, stand_in, material))
    parts = zip(tasks, material.choice.parts, strict=True)
    seconds = tuple(_agent_seconds(part, material) for _, part in parts)
    return Composed({**_head(material, tasks), "tasks": tasks}, tuple(reasons), seconds)


def _head(material: Material, tasks: list[dict[str, Any]]) -> dict[str, Any]:
    choice = material.choice
    head: dict[str, Any] = {"version": 1, "goal": material.goal}
    if choice.pattern is Pattern.EMERGENCY:
        head["slots"] = material.emergency_slots
    if material.one_by_one:
        head["strategy"] = "sequential"
    elif choice.pattern in _STRATEGIES:
        head["strategy"] = _STRATEGIES[choice.pattern]
    tool = gate(material.outline, material.context.find_program)
    if tool is not None and any(task.get("writes") != [] for task in tasks):
        head["verify"] = [flow(tool.argv)]
    return head


def _task_id(agent: str, tasks: list[dict[str, Any]]) -> str:
    """Return the agent's name, numbered if taken; past runs are found by it."""
    names = {task["id"] for task in tasks}
    name, number = agent, 1
    while name in names:
        number += 1
        name = f"{agent}-{number}"
    return name


def _stand_in(part: Part, material: Material, taken: list[tuple[str, ...]]) -> Equivalent | None:
    """Return the tool that replaces the agent; None when the agent can run here."""
    agent = material.context.agents.get(AgentName(part.agent))
    find = material.context.find_program
    if agent is not None and runs_by(agent, material.context) is not None:
        return None
    asked = {word.text for one in material.signals.clauses for word in one.clause.words[:2]}
    formats = material.choice.pattern is Pattern.SINGLE and bool(asked & FORMATTING)
    return equivalent(part.agent, material.outline, find, taken, formats=formats)


def _task(
    name: str,
    part: Part,
    material: Material,
    stand_in: Equivalent | None,
    *,
    before: list[dict[str, Any]],
) -> dict[str, Any]:
    task: dict[str, Any] = {"id": name}
    if AgentName(part.agent) in material.context.agents:
        task["agent"] = part.agent
    task["prompt"] = _prompt(part, material, stand_in)
    tool = stand_in.tool if stand_in is not None else None
    if stand_in is not None:
        task["command"] = flow(tool.argv) if tool is not None else PLACEHOLDER
    chained = material.one_by_one or material.choice.pattern is Pattern.SEQUENTIAL
    if chained and before:
        task["needs"] = flow([before[-1]["id"]])
    writes = _writes(part, material, tool)
    if writes is not None:
        task["writes"] = flow(writes)
    if material.choice.pattern is Pattern.EMERGENCY:
        task["priority"] = "critical" if part.agent == words.STABILITY else "high"
    estimate = _estimate(part, material, tool)
    if estimate is not None:
        task["estimate"] = format_duration(estimate)
    if tool is not None:
        task["retries"] = 0  # a failing check fails again
    if part.stage is not None and not material.one_by_one:
        task["stage"] = part.stage
    if stand_in is not None and tool is None:
        task["enabled"] = False
    return task


def _prompt(part: Part, material: Material, stand_in: Equivalent | None) -> str:
    paragraphs = [PARTS[part.agent]]
    if _looks_only(material):
        paragraphs[0] = f"{paragraphs[0].partition(', and')[0].rstrip('.')}. {LOOK_ONLY}"
    if part.path is not None:
        paragraphs.append(f"Work on {part.path} alone.")
    if part.clause is not None:
        said = " ".join(word.text for word in part.clause.words)
        paragraphs.append(f"Your part of the goal: {said}")
    paragraphs.append(f"Goal: {material.goal}")
    if material.likely and part.path is None and part.agent in _CHANGERS:
        paragraphs.append(f"Probably about: {', '.join(material.likely)}")
    if stand_in is not None and stand_in.tool is None:
        paragraphs.append(
            f"Disabled: it needs a coding agent, and {stand_in.why}. Add a command that "
            "reads this prompt from $PEX_PROMPT, and drop enabled: false."
        )
    return "\n\n".join(paragraphs)


def _looks_only(material: Material) -> bool:
    """Return whether the goal only asks questions."""
    patterns = {Pattern.INVESTIGATION, Pattern.SINGLE}
    asks = material.signals.intents == (Intent.INVESTIGATE,)
    return asks and material.choice.pattern in patterns


def _writes(part: Part, material: Material, tool: Tool | None) -> list[str] | None:
    """Return the write set: none for readers, the part's own path, or unknown."""
    if tool is not None:
        return ["**"] if tool.kind is ToolKind.FORMAT else []
    if part.agent in _READERS or _looks_only(material):
        return []
    if part.path is None:
        return None
    is_file = part.path in material.context.tracked
    return [part.path] if is_file else [part.path, f"{part.path}/**"]


def _estimate(part: Part, material: Material, tool: Tool | None) -> float | None:
    """Return the estimate in seconds, unless past runs or the agent's definition have one."""
    agent = material.context.agents.get(AgentName(part.agent))
    if _learned(part, material, tool) is not None:
        return None
    if tool is not None:
        return _TOOL_SECONDS.get(tool.kind, _OTHER_TOOL_SECONDS)
    if agent is not None and agent.estimate_seconds is not None:
        return None
    return _agent_seconds(part, material)


def _learned(part: Part, material: Material, tool: Tool | None) -> float | None:
    """Return the learned duration of the tool or the agent; None if it never ran here."""
    work = TaskWork(tool.argv) if tool is not None else TaskWork((), agent=part.agent, runner="any")
    known = material.context.experience.of(work)
    return None if known is None else known.seconds


def _agent_seconds(part: Part, material: Material) -> float:
    agent = material.context.agents.get(AgentName(part.agent))
    known = _learned(part, material, None)
    known = known or (None if agent is None else agent.estimate_seconds)
    usual = _READER_SECONDS if part.agent in _READERS else _AGENT_SECONDS
    return known or usual * _FACTORS[material.choice.complexity]


def _reason(name: str, part: Part, stand_in: Equivalent | None, material: Material) -> str:
    tool = None if stand_in is None else stand_in.tool
    is_known = _learned(part, material, tool) is not None
    learned = "; estimate from past runs" if is_known else ""
    if stand_in is None:
        agent = material.context.agents[AgentName(part.agent)]
        return f"{name}: {part.why}; runs by {runs_by(agent, material.context)}{learned}"
    if stand_in.tool is not None:
        return f"{name}: {part.why}; {stand_in.why}{learned}"
    return f"{name}: {part.why}; disabled, as it needs a coding agent and {stand_in.why}"
