"""Prompts of the agents for a goal, and texts that explain a choice."""

from pex_tui.core.formatting import counted
from pex_tui.planning.goals import vocabulary as words
from pex_tui.planning.goals.outline import RepositoryOutline, ToolKind

PARTS = {
    words.ERRORS: "Find the cause of what fails, and fix it at its root.",
    words.TESTS: "Run the tests and say what they leave open, and write those that are missing.",
    words.TEST_FIXER: "Make the failing or unsteady tests right again, without hiding faults.",
    words.SPEED: "Measure where time and memory go, and remove the largest cost.",
    words.ENGINEER: "Make the change the way this code base is built, with tests.",
    words.STRUCTURE: "Decide the structure: boundaries, interfaces, and the order of the change.",
    words.SECURITY: "Look for ways in which input or configuration can do harm.",
    words.COMPLIANCE: "Check licences, personal data and audit trails against the rules.",
    words.OBSIDIAN: "Test the plugin in Obsidian.",
    words.SCREENS: "Test what a person sees and does: screens, keys, sizes, access.",
    words.RELEASE: "Prepare the release: version, changelog, notes, checks.",
    words.STATE: "Change the stored state in steps that can stop anywhere and lose nothing.",
    words.META: "Turn the goal into a plan for a team: tasks, needs, write sets, order.",
    words.FACTORY: "Write the agent's definition under .claude/agents/.",
    words.PRODUCT: "Turn the wish into requirements that can be checked, with reasons.",
    words.BUSINESS: "Analyse the processes, people and rules behind the request.",
    words.USERS: "Examine how people will use this: tasks, wording, obstacles.",
    words.STABILITY: "Stop it from getting worse: the smallest change that holds.",
    words.MONITORING: "Make the system observable: logs, metrics, health checks.",
    words.ROLLBACK: "Prepare and check the way back: the exact steps, and what happens to data.",
    words.ALERTS: "Decide what is worth waking somebody for, and write those alerts.",
    words.ORCHESTRATOR: "Say what would make the run end sooner and safer.",
}
LOOK_ONLY = "Change nothing; write down what you find, with file and line."
_LANGUAGES_TOLD = 3


def about_repository(outline: RepositoryOutline) -> str:
    """Describe the repository in one line: size, languages, tools, most changed files."""
    languages = ", ".join(
        f"{name} {count}" for name, count in list(outline.languages.items())[:_LANGUAGES_TOLD]
    )
    kinds = (ToolKind.TESTS, ToolKind.LINT, ToolKind.TYPES, ToolKind.FORMAT, ToolKind.SECURITY)
    tools = [
        f"{kind.value} {offered[0].name}" for kind in kinds if (offered := outline.tools_for(kind))
    ]
    facts = [counted(len(outline.files), "tracked file"), languages, *tools]
    facts += [f"CI in {outline.ci}"] if outline.ci else ["no CI"]
    facts += [f"changes most: {', '.join(outline.hot[:_LANGUAGES_TOLD])}"] if outline.hot else []
    return "repository: " + "; ".join(fact for fact in facts if fact)
