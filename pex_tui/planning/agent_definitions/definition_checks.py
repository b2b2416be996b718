"""Errors and warnings of agent definitions, and surprises in foreign ones."""

import re
from collections.abc import Iterator

from msgspec import Struct

from pex_tui.core.model.plan import Expects
from pex_tui.core.sanitize import clean
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.definition_file import (
    TOOLS_THAT_WRITE,
    BrokenDefinitionError,
    DefinitionText,
    parse_agent,
    read_definition,
)
from pex_tui.planning.fields.validation_text import nearest

MOST_DESCRIPTION = 1_024
MOST_PROMPT = 20_000
KNOWN_TOOLS = frozenset(
    {
        *("Agent", "AskUserQuestion", "Bash", "BashOutput", "Edit", "EnterPlanMode"),
        *("EnterWorktree", "ExitPlanMode", "ExitWorktree", "Glob", "Grep", "KillBash"),
        *("KillShell", "LS", "LSP", "ListMcpResourcesTool", "Monitor", "MultiEdit"),
        *("NotebookEdit", "NotebookRead", "Read", "ReadMcpResourceTool", "SendMessage", "Skill"),
        *("SlashCommand", "Task", "TaskCreate", "TaskGet", "TaskList", "TaskOutput"),
        *("TaskStop", "TaskUpdate", "TodoRead", "TodoWrite", "ToolSearch", "WebFetch"),
        *("WebSearch", "Write"),
    }
)
"""Claude Code's tools by name; names of MCP tools begin with `mcp__`."""

_STRANGE_KEYS = {
    "hooks": "runs commands of its own (hooks)",
    "mcpServers": "starts servers of its own (mcpServers)",
    "permissionMode": "asks for a permission mode",
}
_STRANGE_IN_PEX = {
    "command": "runs a command of its own",
    "permissions": "says itself what it may do without a question",
}
_JOINED = re.compile(r"(?<=[^\x00-\x7f])\u200d(?=[^\x00-\x7f])")  # one emoji composed of several


class DefinitionFinding(Struct, frozen=True, order=True):
    """A remark, and its line, counted from 1."""

    line: int
    text: str
    is_error: bool = False


class CheckedDefinition(Struct, frozen=True):
    """A definition, or None if it can't be used, and all findings, sorted by line."""

    agent: AgentDefinition | None
    findings: tuple[DefinitionFinding, ...] = ()


class CheckedFile(Struct, frozen=True):
    """The findings in one file."""

    path: str
    findings: tuple[DefinitionFinding, ...] = ()


def check_definition(text: str, stem: str, *, layer: str, path: str) -> CheckedDefinition:
    """Parse a definition and check it; `stem` is the name if the frontmatter has none."""
    try:
        agent = parse_agent(text, stem, layer=layer, path=path)
    except BrokenDefinitionError as error:
        found = [
            DefinitionFinding(problem.line, problem.text, is_error=True)
            for problem in error.problems
        ]
        return CheckedDefinition(None, tuple(sorted(found)))
    parts = read_definition(text)
    doubts = (*_about_texts(agent, parts), *_about_tools(agent, parts), *_unseen(text))
    return CheckedDefinition(agent, tuple(sorted(doubts)))


def surprises(text: str) -> tuple[DefinitionFinding, ...]:
    """Return what a reader should know before adopting a foreign definition."""
    parts = read_definition(text)
    found = [
        DefinitionFinding(parts.front.line_of((key,)), _strange(key, parts))
        for key in _STRANGE_KEYS
        if parts.content.get(key) is not None
    ]
    block = parts.content.get("pex")
    if isinstance(block, dict):
        found += [
            DefinitionFinding(parts.front.line_of(("pex", key)), f"{what} (pex.{key})")
            for key, what in _STRANGE_IN_PEX.items()
            if block.get(key) is not None
        ]
    return tuple(sorted(found))


def _strange(key: str, parts: DefinitionText) -> str:
    value = parts.content[key]
    return f"{_STRANGE_KEYS[key]}: {value}" if isinstance(value, str) else _STRANGE_KEYS[key]


def _about_texts(agent: AgentDefinition, parts: DefinitionText) -> Iterator[DefinitionFinding]:
    line = parts.front.line_of(("description",))
    if not agent.description:
        yield DefinitionFinding(line, "there is no description of when to use it. Add one.")
    elif len(agent.description) > MOST_DESCRIPTION:
        yield DefinitionFinding(
            line,
            f"the description has {len(agent.description)} characters, and {MOST_DESCRIPTION} are "
            "read. Move the rest into the prompt.",
        )
    if not agent.prompt and agent.argv is None:
        yield DefinitionFinding(
            parts.prompt_line, "the prompt is empty. Write instructions below ---."
        )
    elif len(agent.prompt) > MOST_PROMPT:
        yield DefinitionFinding(
            parts.prompt_line,
            f"the prompt has {len(agent.prompt)} characters, and each task pays for them. "
            f"Shorten it below {MOST_PROMPT}.",
        )


def _about_tools(agent: AgentDefinition, parts: DefinitionText) -> Iterator[DefinitionFinding]:
    tools_line = parts.front.line_of(("tools",))
    writes_line = parts.front.line_of(("pex", "writes"))
    for tool in agent.tools or ():
        if tool not in KNOWN_TOOLS and not tool.startswith("mcp__"):
            remedy = nearest(tool, KNOWN_TOOLS) or "Drop it, or fix the name."
            yield DefinitionFinding(tools_line, f'no tool "{tool}" is known. {remedy}')
    writers = None if agent.tools is None else sorted(TOOLS_THAT_WRITE.intersection(agent.tools))
    if agent.argv is None and agent.is_read_only and writers != []:
        which = "all tools" if writers is None else ", ".join(writers)
        yield DefinitionFinding(
            writes_line,
            f"writes is [], and it has {which}. Drop the tools that write, or say what it writes.",
        )
    if agent.argv is None and agent.writes and writers == []:
        yield DefinitionFinding(
            writes_line,
            f"it may write {', '.join(agent.writes)}, and none of its tools can. "
            "Give it Edit or Write, or write [].",
        )
    if agent.is_read_only and agent.expects is Expects.CHANGES:
        line = parts.front.line_of(("pex", "expects"))
        yield DefinitionFinding(
            line, "it expects changes and may change nothing. Write expects: none."
        )


def _unseen(text: str) -> Iterator[DefinitionFinding]:
    """Yield the first line with control characters or invisible ones."""
    for number, line in enumerate(text.split("\n"), start=1):
        shown = _JOINED.sub("", line.removesuffix("\r").replace("\t", " "))
        if not shown.isprintable() and clean(shown, len(shown)) != shown:
            yield DefinitionFinding(
                number, "it holds control or invisible characters. Remove them."
            )
            return
